"""Where the house is: the names that the runner gives to a command beside it."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

SERVICES = ("accounts", "verification", "orchestration", "workbench")


class Settings(BaseSettings):
    """Read by those who look inside; attackers from outside need the demo's settings alone."""

    model_config = SettingsConfigDict(frozen=True)

    accounts_database_url: str = Field(repr=False)
    verification_database_url: str = Field(repr=False)
    orchestration_database_url: str = Field(repr=False)
    workbench_database_url: str = Field(repr=False)
    gateway_database_url: str = Field(repr=False)
    accounts_http_port: int
    verification_http_port: int
    orchestration_http_port: int
    workbench_http_port: int
    accounts_grpc_port: int
    verification_grpc_port: int
    orchestration_grpc_port: int
    workbench_grpc_port: int
    gateway_http_port: int
    gateway_client_key: str = Field(repr=False)
    accounts_client_secret: str = Field(repr=False)
    verification_client_secret: str = Field(repr=False)
    orchestration_client_secret: str = Field(repr=False)
    workbench_client_secret: str = Field(repr=False)
    accounts_nats_url: str = Field(repr=False)
    verification_nats_url: str = Field(repr=False)
    orchestration_nats_url: str = Field(repr=False)
    workbench_nats_url: str = Field(repr=False)
    tongban_redis_url: str = Field(repr=False)
    tongban_nats_url: str = Field(repr=False)
    tongban_nats_monitor_url: str
    tongban_keycloak_url: str
    tongban_instance_dir: Path

    @property
    def databases(self) -> dict[str, str]:
        """Every database of the house, by its owner."""
        named = {name: getattr(self, f"{name}_database_url") for name in (*SERVICES, "gateway")}
        return {name: url.replace("+asyncpg", "") for name, url in named.items()}

    @property
    def ports(self) -> dict[str, int]:
        """Where each service listens, past the gateway."""
        return {name: getattr(self, f"{name}_http_port") for name in SERVICES}

    @property
    def grpc(self) -> dict[str, str]:
        """Where each service takes the others' calls."""
        return {name: f"127.0.0.1:{getattr(self, f'{name}_grpc_port')}" for name in SERVICES}

    @property
    def buses(self) -> dict[str, str]:
        """Each service's own way to the broker."""
        return {name: getattr(self, f"{name}_nats_url") for name in SERVICES}

    @property
    def client_secrets(self) -> dict[str, str]:
        """With what each service shows that it is itself."""
        return {name: getattr(self, f"{name}_client_secret") for name in SERVICES}
