"""A Keycloak administrator: logs people out, and gives a realm keys that the test holds too."""

import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import accounts.settings
import httpx
from common import process
from demo.browser import Credentials
from joserfc import jwt
from joserfc.jwk import RSAKey


@dataclass
class Administrator:
    """One realm's administrator."""

    http: httpx.AsyncClient
    realm: str

    async def user_id(self, username: str) -> str:
        found = await self._answer("GET", "users", params={"username": username, "exact": "true"})
        return found[0]["id"]

    async def log_out(self, username: str) -> None:
        """Everywhere."""
        await self._answer("POST", f"users/{await self.user_id(username)}/logout")

    async def end_session(self, sid: str) -> None:
        await self._answer("DELETE", f"sessions/{sid}")

    async def sessions(self, username: str) -> list[str]:
        return [each["id"] for each in await self._answer("GET", f"users/{await self.user_id(username)}/sessions")]

    async def set_enabled(self, username: str, *, enabled: bool) -> None:
        await self._answer("PUT", f"users/{await self.user_id(username)}", json={"enabled": enabled})

    @asynccontextmanager
    async def newcomer(self, username: str, password: str, person_id: str) -> AsyncIterator[Credentials]:
        """Somebody who is there for one test."""
        credential = {"type": "password", "value": password, "temporary": False}
        attributes = {"person_id": [person_id]}
        account = {"username": username, "enabled": True, "attributes": attributes, "credentials": [credential]}
        await self._answer("POST", "users", json=account)
        try:
            yield Credentials(username, password)
        finally:
            await self._answer("DELETE", f"users/{await self.user_id(username)}")

    async def set_password(self, username: str, password: str) -> None:
        credential = {"type": "password", "value": password, "temporary": False}
        await self._answer("PUT", f"users/{await self.user_id(username)}/reset-password", json=credential)

    async def is_locked(self, username: str) -> bool:
        found = await self._answer("GET", f"attack-detection/brute-force/users/{await self.user_id(username)}")
        return bool(found["disabled"])

    async def unlock(self, username: str) -> None:
        await self._answer("DELETE", f"attack-detection/brute-force/users/{await self.user_id(username)}")

    @asynccontextmanager
    async def key(self, provider: str = "rsa-generated", *, priority: int, **config: str) -> AsyncIterator[str]:
        """Give the realm one more key for a while; the one of the highest priority signs."""
        realm = await self._answer("GET", "")
        component = {
            "name": f"tests-{priority}",
            "providerId": provider,
            "providerType": "org.keycloak.keys.KeyProvider",
            "parentId": realm["id"],
            "config": {
                name: [value] for name, value in {"priority": str(priority), "algorithm": "RS256", **config}.items()
            },
        }
        answer = await self.http.post(f"/admin/realms/{self.realm}/components", json=component)
        assert answer.status_code == 201, answer.text
        component_id = answer.headers["Location"].rpartition("/")[2]
        keys = await self._answer("GET", "keys")
        try:
            yield next(each["kid"] for each in keys["keys"] if each["providerId"] == component_id)
        finally:
            await self._answer("DELETE", f"components/{component_id}")

    async def _answer(self, method: str, path: str, **more: Any) -> Any:
        answer = await self.http.request(method, f"/admin/realms/{self.realm}/{path}".rstrip("/"), **more)
        answer.raise_for_status()
        return answer.json() if answer.content else None


@asynccontextmanager
async def administrator(realm: str) -> AsyncIterator[Administrator]:
    known = accounts.settings.Settings()  # type: ignore[call-arg]
    async with httpx.AsyncClient(base_url=known.keycloak_url, trust_env=False, timeout=20) as http:
        answer = await http.post(
            "/realms/master/protocol/openid-connect/token",
            data={
                "grant_type": "client_credentials",
                "client_id": known.keycloak_admin_client,
                "client_secret": known.keycloak_admin_secret.get_secret_value(),
            },
        )
        answer.raise_for_status()
        http.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        yield Administrator(http, realm)


@dataclass
class Forger:
    """Signs what Keycloak might have signed: the realm publishes this key as one of its own."""

    key: RSAKey
    kid: str
    issuer: str

    def log_out(self, *, header: Mapping[str, Any] | None = None, **changes: Any) -> str:
        """A sound log-out token but for what is changed; None leaves a claim out."""
        now = int(process.now().timestamp())
        claims = {
            "iss": self.issuer,
            "aud": "gateway",
            "iat": now,
            "exp": now + 120,
            "jti": secrets.token_urlsafe(),
            "typ": "Logout",
            "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
            **changes,
        }
        told = {"alg": "RS256", "kid": self.kid, "typ": "logout+jwt", **(header or {})}
        return jwt.encode(
            {name: value for name, value in told.items() if value is not None},
            {name: value for name, value in claims.items() if value is not None},
            self.key,
            algorithms=["RS256"],
        )


@asynccontextmanager
async def forger(administrator: Administrator, issuer: str) -> AsyncIterator[Forger]:
    """A key of ours that the realm publishes; its own goes on signing."""
    key = RSAKey.generate_key(2048)
    pem = key.as_pem(private=True).decode()
    async with administrator.key("rsa", priority=-5, privateKey=pem) as kid:
        yield Forger(key, kid, issuer)
