"""What may vary between places."""

from common import config
from pydantic import SecretStr


class Settings(config.Settings, env_prefix="ORCHESTRATION_"):
    """Addresses, ports and secrets of this service."""

    database_url: SecretStr
    nats_url: str
    http_port: int
    grpc_port: int
    keycloak_url: str
    client_secret: SecretStr
    clients: tuple[str, ...] = ("gateway", "accounts", "verification", "orchestration", "workbench", "demo-loader")
    data_keys: dict[str, SecretStr]
    index_key: SecretStr
    accounts_grpc: str
    verification_grpc: str
