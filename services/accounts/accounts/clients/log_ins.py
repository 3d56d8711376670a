"""Who is logged in at Keycloak, and whose password was changed: read from what it keeps of its own."""

from datetime import UTC, datetime
from typing import Any

from keycloak.exceptions import KeycloakError

from accounts.clients.keycloak import Administration, KeycloakAway
from accounts.domain.password import LoggedIn, PasswordChange
from accounts.domain.realms import JSON

PAGE = 200


class LogIns(Administration):
    """The administrator's client, as far as it looks after people's log-ins."""

    async def password_changes(self, realm: str, since: datetime) -> list[PasswordChange]:
        """Tell whose password was changed, by the person or by an administrator."""
        own = await self._told(realm, "events", since, type=["UPDATE_PASSWORD", "UPDATE_CREDENTIAL"])
        by_others = await self._told(realm, "admin-events", since, operationTypes="ACTION", resourceTypes="USER")
        return [
            PasswordChange(each["userId"], _moment(each["time"]), each.get("details", {}).get("code_id"))
            for each in own
            # the newer of the two events tells of any proof, one-time codes among them
            if each.get("details", {}).get("credential_type", "password") == "password"
        ] + [
            PasswordChange(each["resourcePath"].split("/")[1], _moment(each["time"]), None)
            for each in by_others
            if each["resourcePath"].endswith("/reset-password")
        ]

    async def logged_in(self, realm: str, user: str) -> list[LoggedIn]:
        """List a person's living log-ins."""
        answer = await self._get(realm, f"users/{user}/sessions")
        return [LoggedIn(each["id"], _moment(each["start"])) for each in answer]

    async def end_session(self, realm: str, session: str) -> None:
        """End one log-in; the gateway hears of it."""
        try:
            answer = await self._connection.a_raw_delete(f"admin/realms/{realm}/sessions/{session}")
        except KeycloakError as error:
            raise KeycloakAway from error
        # it may have ended meanwhile
        if answer.status_code not in {204, 404}:
            raise KeycloakAway

    async def _told(self, realm: str, kind: str, since: datetime, **wanted: Any) -> list[JSON]:
        """All events since, page by page."""
        found: list[JSON] = []
        while True:
            asked = {**wanted, "dateFrom": int(since.timestamp() * 1000), "first": len(found), "max": PAGE}
            page = await self._get(realm, kind, **asked)
            found += page
            if len(page) < PAGE:
                return found

    async def _get(self, realm: str, path: str, **asked: Any) -> list[JSON]:
        try:
            answer = await self._connection.a_raw_get(f"admin/realms/{realm}/{path}", **asked)
        except KeycloakError as error:
            raise KeycloakAway from error
        if answer.status_code == 404:  # noqa: PLR2004 - nobody has this id any more
            return []
        if answer.status_code != 200:  # noqa: PLR2004
            raise KeycloakAway
        listed: list[JSON] = answer.json()
        return listed


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
