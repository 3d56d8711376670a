"""The clock door: the log-in server hears of account states, and we of changed passwords."""

from collections.abc import Callable

from common import telemetry

from accounts.clients.keycloak import Administration
from accounts.store import Store
from accounts.usecases.passwords import PasswordWatch
from accounts.usecases.states import tell_log_in_server


async def tell_states(store: Store, keycloak: Callable[[], Administration]) -> None:
    """Disable and enable log-ins; what the log-in server missed while it was away is told later."""
    await tell_log_in_server(store, keycloak)


async def end_old_log_ins(watch: PasswordWatch) -> None:
    """Show out whoever was let in by a password that was changed since."""
    if ended := await watch.end_old_log_ins():
        telemetry.log.info("accounts.old_log_ins_ended", log_ins=ended)
