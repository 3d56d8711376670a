"""The clock door: the log-in server hears of account states."""

from accounts.clients.keycloak import Administration
from accounts.settings import Settings
from accounts.store import Store
from accounts.usecases.states import tell_log_in_server


async def tell_states(store: Store, settings: Settings) -> None:
    """Disable and enable log-ins; what the log-in server missed while it was away is told later."""

    def keycloak() -> Administration:
        secret = settings.keycloak_admin_secret.get_secret_value()
        return Administration(settings.keycloak_url, settings.keycloak_admin_client, secret)

    await tell_log_in_server(store, keycloak)
