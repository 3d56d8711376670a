"""A realm's key in the wrong hands: Keycloak publishes it and signs with it, and whoever knocks here holds it too.

So a claim can be wrong under a right signature, and a real rotation can be watched: a new key, both keys, the old gone.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from joserfc import jwt
from joserfc.jwk import RSAKey
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from attack.tokens import JSON, Forged, parts

# the realm's own keys have less: whichever has most signs
ABOVE = 1000
HOUR = 3600


class Settings(BaseSettings):
    """Who administers the realms."""

    model_config = SettingsConfigDict(frozen=True)

    tongban_keycloak_url: str
    accounts_keycloak_admin_client: str
    accounts_keycloak_admin_secret: str = Field(repr=False)


@dataclass(frozen=True, slots=True)
class Stolen:
    """A key that the realm publishes as its own."""

    kid: str
    key: RSAKey = field(repr=False)

    def signed(self, claims: JSON, header: JSON | None = None) -> str:
        """A token of these claims, with the realm's signature; None leaves a claim out."""
        head = {"alg": "RS256", "typ": "JWT", "kid": self.kid} | (header or {})
        kept = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(head, kept, self.key, algorithms=[head["alg"]])


@dataclass(frozen=True, slots=True)
class Administrator:
    """Somebody who may change one realm."""

    http: httpx.AsyncClient
    realm: str

    @asynccontextmanager
    async def signing_key(self, *, priority: int = ABOVE) -> AsyncIterator[Stolen]:
        """Let the realm sign with a key that we hold; it is gone at the end."""
        key = RSAKey.generate_key(2048)
        config = {"priority": str(priority), "algorithm": "RS256", "privateKey": key.as_pem(private=True).decode()}
        made = await self._answer(
            "POST",
            "components",
            json={
                "name": f"stolen-{priority}",
                "providerId": "rsa",
                "providerType": "org.keycloak.keys.KeyProvider",
                "parentId": (await self._answer("GET", "")).json()["id"],
                "config": {name: [value] for name, value in config.items()},
            },
        )
        component = made.headers["Location"].rpartition("/")[2]
        try:
            keys = (await self._answer("GET", "keys")).json()["keys"]
            yield Stolen(next(each["kid"] for each in keys if each["providerId"] == component), key)
        finally:
            await self._answer("DELETE", f"components/{component}")

    @asynccontextmanager
    async def short_lived(self, client: str, seconds: int) -> AsyncIterator[None]:
        """Let a client's tokens live no longer than this, for as long as the block lasts."""
        (known,) = (await self._answer("GET", "clients", params={"clientId": client})).json()
        named = "access.token.lifespan"
        before = known["attributes"].get(named, "")

        async def live(value: str) -> None:
            changed = known | {"attributes": known["attributes"] | {named: value}}
            await self._answer("PUT", f"clients/{known['id']}", json=changed)

        await live(str(seconds))
        try:
            yield
        finally:
            await live(before)

    async def _answer(self, method: str, path: str, **more: Any) -> httpx.Response:
        answer = await self.http.request(method, f"/admin/realms/{self.realm}/{path}".rstrip("/"), **more)
        return answer.raise_for_status()


@asynccontextmanager
async def administrator(realm: str) -> AsyncIterator[Administrator]:
    known = Settings()
    async with httpx.AsyncClient(base_url=known.tongban_keycloak_url, trust_env=False, timeout=20) as http:
        form = {
            "grant_type": "client_credentials",
            "client_id": known.accounts_keycloak_admin_client,
            "client_secret": known.accounts_keycloak_admin_secret,
        }
        answer = await http.post("/realms/master/protocol/openid-connect/token", data=form)
        http.headers["Authorization"] = f"Bearer {answer.raise_for_status().json()['access_token']}"
        yield Administrator(http, realm)


def wrong_under_a_right_signature(access: str, stolen: Stolen, now: int) -> list[Forged]:
    """One claim of a citizen's real token wrong after the other, signed as only the realm can."""
    _, claims, _ = parts(access)
    return [
        Forged(what, stolen.signed(claims | change, header), reason)
        for what, change, header, reason in _changes(claims, now)
    ]


def _changes(claims: JSON, now: int) -> list[tuple[str, JSON, JSON, str]]:
    later = now + HOUR
    other = claims["iss"].replace("/citizen", "/gov")
    nobody: JSON = {"person_id": None}
    return [
        ("no acr", {"acr": None}, {}, "STEP_UP_NEEDED"),
        ("acr 0", {"acr": "0"}, {}, "STEP_UP_NEEDED"),
        ("an acr that is no number", {"acr": "gold"}, {}, "STEP_UP_NEEDED"),
        ("an acr that is another number", {"acr": "²"}, {}, "STEP_UP_NEEDED"),
        ("expired", {"iat": now - HOUR, "exp": now - 60}, {}, "TOKEN_EXPIRED"),
        ("without an end", {"exp": None}, {}, "TOKEN_MALFORMED"),
        ("without a beginning", {"iat": None}, {}, "TOKEN_MALFORMED"),
        ("not yet valid", {"nbf": later, "exp": later + HOUR}, {}, "TOKEN_NOT_YET_VALID"),
        ("not yet issued", {"iat": later, "exp": later + HOUR}, {}, "TOKEN_NOT_YET_VALID"),
        ("for the account console", {"aud": "account"}, {}, "TOKEN_AUDIENCE"),
        ("for nobody", {"aud": None}, {}, "TOKEN_AUDIENCE"),
        ("of the account console", {"azp": "account-console"}, {}, "TOKEN_CLIENT"),
        ("of no client", {"azp": None}, {}, "TOKEN_CLIENT"),
        ("an identity token", {"typ": "ID"}, {}, "TOKEN_TYPE"),
        ("a refresh token", {"typ": "Refresh"}, {}, "TOKEN_TYPE"),
        ("of no kind", {"typ": None}, {}, "TOKEN_TYPE"),
        ("a log-out token", {}, {"typ": "logout+jwt"}, "TOKEN_TYPE"),
        ("a longer hash", {}, {"alg": "RS512"}, "TOKEN_ALGORITHM"),
        ("another padding", {}, {"alg": "PS256"}, "TOKEN_ALGORITHM"),
        ("the other realm's name", {"iss": other}, {}, "TOKEN_KEY_UNKNOWN"),
        ("of nobody", {"sub": None}, {}, "TOKEN_MALFORMED"),
        ("a log-in of no person", nobody, {}, "CALLER_UNKNOWN"),
        ("an employee of the wrong realm", nobody | {"employee_id": claims["person_id"]}, {}, "CALLER_UNKNOWN"),
    ]
