"""Ending log-ins whose password was changed since."""

from collections.abc import Callable
from datetime import datetime

from accounts.clients.log_ins import LogIns
from accounts.domain.password import LOOK_BACK, by_the_old_one, told_since
from accounts.usecases.realms import REALMS


class PasswordWatch:
    """Follows what the log-in server tells of changed passwords; seeing one twice does nothing twice.

    Its own pages leave other log-ins alone unless the person thinks of a box to tick, its administration in any case.
    """

    def __init__(self, keycloak: Callable[[], LogIns], now: datetime) -> None:
        self._keycloak = keycloak
        self._since = dict.fromkeys(REALMS, now - LOOK_BACK)

    async def end_old_log_ins(self) -> int:
        """End what was begun by an old password; tell how many there were."""
        ended = 0
        async with self._keycloak() as server:
            for realm, since in self._since.items():
                changes = await server.password_changes(realm, since)
                for change in changes:
                    for session in by_the_old_one(change, await server.logged_in(realm, change.user)):
                        await server.end_session(realm, session)
                        ended += 1
                self._since[realm] = told_since(since, changes)
        return ended
