"""What may vary between places."""

from datetime import timedelta
from pathlib import Path

from common import config
from pydantic import SecretStr


class Settings(config.Settings, env_prefix="ORCHESTRATION_"):
    """Addresses, ports and secrets of this service."""

    database_url: SecretStr
    nats_url: str
    # Where the fonts are that documents are written in; `make setup` brings them.
    fonts: Path = Path(__file__).parents[3] / "node_modules/@expo-google-fonts/noto-sans-sc/400Regular"
    http_port: int
    grpc_port: int
    keycloak_url: str
    client_secret: SecretStr
    clients: tuple[str, ...] = ("gateway", "accounts", "verification", "orchestration", "workbench", "demo-loader")
    data_keys: dict[str, SecretStr]
    # which of them seals; unless named, the last. A new key is first given to every process, then named
    data_key: str = ""
    index_key: SecretStr
    accounts_grpc: str
    verification_grpc: str
    workbench_grpc: str
    # as departments know us: they sign the whole address that they call
    public_url: str
    # EC P-256, PEM: what we sign with when we call departments' own systems
    signing_key: SecretStr
    # networks of ours that departments' own systems stand in, and whether they may be on our own machine
    app_networks: tuple[str, ...] = ()
    loopback_apps: bool = False
    # a clock that is further from the database's lets nothing happen
    clock_off_at_most: timedelta = timedelta(minutes=1)
