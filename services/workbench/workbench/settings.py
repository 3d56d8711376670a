"""What may vary between places."""

from common import config
from pydantic import SecretStr


class Settings(config.Settings, env_prefix="WORKBENCH_"):
    """Settings of this service."""

    database_url: SecretStr
    nats_url: str
    keycloak_url: str
    data_keys: dict[str, SecretStr]
    # which of them seals; unless named, the last. A new key is first given to every process, then named
    data_key: str = ""
    index_key: SecretStr
    accounts_grpc: str
    client_secret: SecretStr
    http_port: int
    grpc_port: int
    clients: tuple[str, ...] = ("gateway", "accounts", "verification", "orchestration", "workbench", "demo-loader")
    # apps on the loopback of this machine, for developers
    loopback_apps: bool = False
