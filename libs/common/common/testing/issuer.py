"""A small real issuer: two realms with keys of our own, served over HTTP as Keycloak serves them.

For a service's own door tests, which need many callers quickly; stories and the gateway log in to the real Keycloak.
"""

import base64
import hmac
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
from aiohttp import web
from joserfc import jwt
from joserfc.jwk import RSAKey

LIFE = 300


class Issuer:
    """Publishes keys, signs tokens, and counts how often its keys are read."""

    def __init__(self) -> None:
        self.url = ""
        self.fetches = 0
        self.away = False
        self.clients: dict[str, tuple[str, list[str], list[str]]] = {}
        self._keys = {realm: [_key(f"{realm}-1")] for realm in ("citizen", "gov")}

    def rotate(self, realm: str, *, keep: int = 1) -> None:
        """Sign with a new key from now on; the last `keep` old ones stay published."""
        old = self._keys[realm]
        self._keys[realm] = [_key(f"{realm}-{len(old) + 1}-{time.monotonic_ns()}"), *old[:keep]]

    def key(self, realm: str) -> RSAKey:
        """Give the realm's current key, to forge with."""
        return self._keys[realm][0]

    def register(self, client: str, secret: str, *, aud: list[str], roles: list[str]) -> None:
        """Let a service get its own tokens."""
        self.clients[client] = (secret, aud, roles)

    def claims(
        self,
        realm: str,
        *,
        person_id: str | None = None,
        employee_id: str | None = None,
        service: str | None = None,
        aud: str | list[str] = "",
        acr: int | str = 1,
        roles: list[str] | None = None,
        **overrides: Any,
    ) -> dict[str, Any]:
        """Give the claims of a caller; an override of None leaves a claim out."""
        now = int(time.time())
        name = person_id or employee_id or service or "nobody"
        claims = {
            "iss": f"{self.url}/realms/{realm}",
            "sub": f"sub-{name}",
            "aud": aud,
            "azp": service or "gateway",
            "typ": "Bearer",
            "acr": str(acr),
            "sid": f"sid-{name}",
            "iat": now,
            "auth_time": None if service else now,
            "exp": now + LIFE,
            "person_id": person_id,
            "employee_id": employee_id,
            "realm_access": {"roles": roles} if roles else None,
        } | overrides
        return {key: value for key, value in claims.items() if value is not None}

    def token(self, realm: str, *, key: RSAKey | None = None, header: dict[str, Any] | None = None, **who: Any) -> str:
        """Sign a token for a caller (the same words as `claims`)."""
        signer = key or self.key(realm)
        head = {"alg": "RS256", "typ": "JWT", "kid": signer.kid} | (header or {})
        return jwt.encode(head, self.claims(realm, **who), signer, algorithms=["RS256"])

    def altered(self, token: str, **overrides: Any) -> str:
        """Sign the claims of a token again with something changed; None leaves a claim out."""
        claims = orjson.loads(base64.urlsafe_b64decode(token.split(".")[1] + "==")) | overrides
        claims = {key: value for key, value in claims.items() if value is not None}
        signer = self.key(claims["iss"].rpartition("/")[2])
        head = {"alg": "RS256", "typ": "JWT", "kid": signer.kid}
        return jwt.encode(head, claims, signer, algorithms=["RS256"])

    def token_by_secret(self, realm: str, secret: bytes, **who: Any) -> str:
        """Forge a token whose signature is a MAC under a secret, as if the public key were one."""
        header = {"alg": "HS256", "typ": "JWT", "kid": self.key(realm).kid}
        signed = ".".join(_b64(orjson.dumps(each)) for each in (header, self.claims(realm, **who)))
        return f"{signed}.{_b64(hmac.digest(secret, signed.encode(), 'sha256'))}"

    async def _certs(self, request: web.Request) -> web.Response:
        self.fetches += 1
        if self.away:
            raise web.HTTPServiceUnavailable
        published = [key.as_dict(private=False) for key in self._keys[request.match_info["realm"]]]
        return web.json_response({"keys": [{**key, "use": "sig", "alg": "RS256"} for key in published]})

    async def _token(self, request: web.Request) -> web.Response:
        form = await request.post()
        name = str(form.get("client_id"))
        secret, aud, roles = self.clients.get(name, ("", [], []))
        if self.away or not secret or form.get("client_secret") != secret:
            raise web.HTTPUnauthorized
        token = self.token(request.match_info["realm"], service=name, aud=aud, roles=roles)
        return web.json_response({"access_token": token, "expires_in": LIFE, "token_type": "Bearer"})

    @asynccontextmanager
    async def serve(self) -> AsyncIterator["Issuer"]:
        """Listen on a free port while the block lasts."""
        app = web.Application()
        base = "/realms/{realm}/protocol/openid-connect"
        app.router.add_get(f"{base}/certs", self._certs)
        app.router.add_post(f"{base}/token", self._token)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield self
        finally:
            await runner.cleanup()


def _key(kid: str) -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": kid}, private=True)


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
