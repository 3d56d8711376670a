"""What may vary between places."""

from datetime import timedelta

from common import config
from pydantic import Field, SecretStr


class Settings(config.Settings, env_prefix="GATEWAY_"):
    database_url: SecretStr
    redis_url: SecretStr
    # as browsers know it: it names the issuers
    keycloak_url: str
    # where the gateway itself reaches it, if elsewhere
    keycloak_inner_url: str = ""
    public_url: str
    services: dict[str, str]
    # what sessions are sealed with; which of them seals: the one named, else the last
    session_keys: dict[str, SecretStr]
    session_key: str = ""
    client_key: SecretStr
    data_keys: dict[str, SecretStr]
    index_key: SecretStr

    http_host: str = "127.0.0.1"
    http_port: int = 18000
    # edges in front of us that append to X-Forwarded-For; 0 = none, then the header is not believed
    trusted_hops: int = 0

    client_id: str = "gateway"
    # who may call with a token of its own; sessions are not asked
    clients: tuple[str, ...] = ("gateway", "accounts", "verification", "orchestration", "workbench", "demo-loader")

    idle: timedelta = timedelta(minutes=30)
    absolute: timedelta = timedelta(hours=10)
    log_in_within: timedelta = timedelta(minutes=10)
    # a token with less than this left is renewed before it is forwarded
    renew_ahead: timedelta = timedelta(seconds=60)

    body_limit: int = 10 * 1024 * 1024
    connect_within: timedelta = timedelta(seconds=2)
    # how long a call waits for a service that nobody listens at: a restart then costs a moment, no refusal
    restart_within: timedelta = timedelta(seconds=3)
    answer_within: timedelta = timedelta(seconds=30)
    # shorter than the services keep an idle connection, so that none is used as it closes
    idle_connection: timedelta = timedelta(seconds=30)
    connections: int = Field(default=512, gt=0)
    redis_connections: int = Field(default=128, gt=0)

    # token buckets: calls a second, and how many at once
    person_rate: float = 20
    person_burst: int = 100
    service_rate: float = 200
    service_burst: int = 400
    anonymous_rate: float = 10
    anonymous_burst: int = 60
