"""Where the house is: the names that the runner gives to a command beside it."""

from pathlib import Path

from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Read by those who look inside; people need the demo's settings alone."""

    model_config = SettingsConfigDict(frozen=True)

    accounts_database_url: str
    verification_database_url: str
    orchestration_database_url: str
    workbench_database_url: str
    gateway_database_url: str
    department_file: Path
    tongban_nats_monitor_url: str
    tongban_control: Path
    tongban_instance_dir: Path

    @property
    def databases(self) -> dict[str, str]:
        urls = {
            "accounts": self.accounts_database_url,
            "verification": self.verification_database_url,
            "orchestration": self.orchestration_database_url,
            "workbench": self.workbench_database_url,
        }
        return {service: url.replace("+asyncpg", "") for service, url in urls.items()}
