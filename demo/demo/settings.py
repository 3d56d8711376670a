"""What the demo is told by whoever starts it."""

from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Where the house is, and the secrets that were generated for the demo's people."""

    model_config = SettingsConfigDict(env_prefix="DEMO_", frozen=True)

    public_url: str
    keycloak_url: str
    client_secret: str
    sandbox_secret: str
    citizen_password: str
    officer_password: str
    totp_seed: str
