"""The clock door: the log-in server hears of account states."""

from collections.abc import Callable

from accounts.clients.keycloak import Administration
from accounts.store import Store
from accounts.usecases.states import tell_log_in_server


async def tell_states(store: Store, keycloak: Callable[[], Administration]) -> None:
    """Disable and enable log-ins; what the log-in server missed while it was away is told later."""
    await tell_log_in_server(store, keycloak)
