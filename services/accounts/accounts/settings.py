"""What may vary between places, and the secrets, which have no default."""

from datetime import timedelta
from pathlib import Path

from common import config
from pydantic import Field, SecretStr

from accounts.domain.person import ProofLevel


class Settings(config.Settings, env_prefix="ACCOUNTS_"):
    """Settings of this service."""

    database_url: SecretStr
    nats_url: str
    http_port: int
    grpc_port: int
    keycloak_url: str
    data_keys: dict[str, SecretStr]
    # which of them seals; unless named, the last. A new key is first given to every process, then named
    data_key: str = ""
    index_key: SecretStr
    clients: tuple[str, ...] = ("gateway", "accounts", "verification", "orchestration", "workbench", "demo-loader")
    # how long a proof of identity counts; then the person is known by name and number only (level 2)
    proof_lasts: dict[ProofLevel, timedelta] = Field(
        default_factory=lambda: {ProofLevel.REAL_PERSON: timedelta(days=365), ProofLevel.STRONG: timedelta(days=365)}
    )
    # what the realms are made of: `reconcile` alone needs it
    public_url: str
    keycloak_admin_client: str
    keycloak_admin_secret: SecretStr
    gateway_client_jwks: str
    client_secrets: dict[str, SecretStr]
    demo: bool = False
    demo_secrets: dict[str, SecretStr] = Field(default_factory=dict)
    demo_people: Path = Path("demo/city/people.yaml")
