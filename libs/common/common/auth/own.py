"""The token of a service itself."""

import asyncio
import time

import aiohttp
import orjson

from common.errors import Unavailable

_TIMEOUT = aiohttp.ClientTimeout(total=3)


class ServiceTokenUnavailable(Unavailable):
    """The issuer gives this service no token."""


class ServiceToken:
    """This service's own token, for calls that nobody asked for; renewed ahead of its end."""

    def __init__(self, keycloak_url: str, client_id: str, secret: str, *, realm: str = "gov") -> None:
        self._url = f"{keycloak_url.rstrip('/')}/realms/{realm}/protocol/openid-connect/token"
        self._form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}
        self._lock = asyncio.Lock()
        self._token = ""
        self._renew_at = self._ends_at = 0.0

    async def token(self) -> str:
        """Give a token that is good for a while yet."""
        if time.monotonic() < self._renew_at:
            return self._token
        async with self._lock:
            if time.monotonic() < self._renew_at:
                return self._token
            asked_at = time.monotonic()
            try:
                async with (
                    aiohttp.ClientSession(timeout=_TIMEOUT) as session,
                    session.post(self._url, data=self._form) as answer,
                ):
                    answer.raise_for_status()
                    given = orjson.loads(await answer.read())
                token, lives = str(given["access_token"]), float(given["expires_in"])
            except (aiohttp.ClientError, TimeoutError, ValueError, KeyError, TypeError) as error:
                if asked_at < self._ends_at - 5:
                    return self._token
                raise ServiceTokenUnavailable from error
            self._token, self._renew_at, self._ends_at = token, asked_at + lives * 0.75, asked_at + lives
            return token
