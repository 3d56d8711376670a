"""Verifies access tokens.

A token is believed when one of our issuers signed it with RS256 for this service (`aud`) through a client that
we know (`azp`), as an access token (`typ`), and it has not expired. Keys come only from the issuers' own address;
nothing that the token says about algorithms or keys is followed, except the name of the key.
"""

import asyncio
import base64
import hashlib
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp
import orjson
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from common.errors import Unauthenticated, Unavailable

_LONGEST_TOKEN = 8 * 1024
# how long a key that its realm takes back goes on opening: then the keys are read anew
_KEYS_LIVE = 60.0
_CLAIMS_LIVE = 30.0
_MOST_CLAIMS = 20_000
_TIMEOUT = aiohttp.ClientTimeout(total=3)
_ACCESS = {"jwt", "at+jwt", "application/at+jwt"}


class TokenMissing(Unauthenticated):
    """No bearer token was sent."""


class TokenTooLong(Unauthenticated):
    """The token is longer than any of ours."""


class TokenMalformed(Unauthenticated):
    """The token is not a signed token."""


class TokenAlgorithm(Unauthenticated):
    """The token is not signed with RS256."""


class TokenIssuer(Unauthenticated):
    """The token is not of one of our realms."""


class TokenKeyUnknown(Unauthenticated):
    """The token names a key that its issuer does not publish."""


class TokenSignature(Unauthenticated):
    """The token's signature is wrong."""


class TokenType(Unauthenticated):
    """The token is not an access token."""


class TokenAudience(Unauthenticated):
    """The token is not meant for this service."""


class TokenClient(Unauthenticated):
    """The token was given to a client that may not call this service."""


class TokenExpired(Unauthenticated):
    """The token has expired."""


class TokenNotYetValid(Unauthenticated):
    """The token is not valid yet."""


class KeysUnavailable(Unavailable):
    """The issuer's keys cannot be read."""


@dataclass(frozen=True, slots=True)
class Claims:
    """What a verified token says."""

    realm: str
    subject: str
    client: str
    session: str
    acr: int
    # when the person last proved who he or she is; 0: the token does not say
    proven_at: float
    person_id: str
    employee_id: str
    roles: frozenset[str]
    expires_at: float


class _Keys:
    """One realm's public keys: fetched once for all who wait, kept while the issuer is away."""

    def __init__(self, url: str, refetch_after: float) -> None:
        self._url = url
        self._refetch_after = refetch_after
        self._known: dict[str, RSAKey] = {}
        self._loaded_at = self._tried_at = float("-inf")
        self._fetch: asyncio.Task[None] | None = None

    async def find(self, kid: str) -> RSAKey:
        known = self._known.get(kid)
        if known is not None:
            if time.monotonic() - self._loaded_at > _KEYS_LIVE:
                self._start()  # nobody waits for a refresh of keys that still work
            return known
        await asyncio.shield(self._start())
        if not self._known:
            raise KeysUnavailable
        if kid not in self._known:
            raise TokenKeyUnknown
        return self._known[kid]

    def _start(self) -> asyncio.Future[None]:
        if self._fetch is not None and not self._fetch.done():
            return self._fetch
        pause = self._refetch_after if self._known else 1.0
        if self._fetch is None or time.monotonic() - self._tried_at >= pause:
            self._tried_at = time.monotonic()
            self._fetch = asyncio.create_task(self._load())
        return self._fetch

    async def _load(self) -> None:
        try:
            async with aiohttp.ClientSession(timeout=_TIMEOUT) as session, session.get(self._url) as answer:
                answer.raise_for_status()
                published = orjson.loads(await answer.read())["keys"]
            found = {
                key["kid"]: RSAKey.import_key({"kty": "RSA", "n": key["n"], "e": key["e"]})
                for key in published
                if key.get("kty") == "RSA" and key.get("use", "sig") == "sig" and key.get("alg", "RS256") == "RS256"
            }
        except (aiohttp.ClientError, TimeoutError, ValueError, KeyError, TypeError, AttributeError, JoseError):
            return  # the keys we have stay good
        if found:
            self._known = found
            self._loaded_at = time.monotonic()


class Verifier:
    """Verifies access tokens of our realms for one audience."""

    def __init__(
        self,
        keycloak_url: str,
        audience: str,
        clients: Iterable[str],
        *,
        realms: Sequence[str] = ("citizen", "gov"),
        leeway: float = 30,
        refetch_after: float = 10,
        now: Callable[[], float] = time.time,
    ) -> None:
        base = keycloak_url.rstrip("/")
        self._realms = {f"{base}/realms/{realm}": realm for realm in realms}
        self._keys = {
            realm: _Keys(f"{issuer}/protocol/openid-connect/certs", refetch_after)
            for issuer, realm in self._realms.items()
        }
        self._audience = audience
        self._clients = frozenset(clients)
        self._leeway = leeway
        self.now = now
        self._verified: dict[bytes, tuple[Claims, float]] = {}

    async def verify(self, token: str) -> Claims:
        """Tell what the token says, or refuse it."""
        if len(token) > _LONGEST_TOKEN:
            raise TokenTooLong
        if not token.isascii():
            raise TokenMalformed
        now = self.now()
        digest = hashlib.sha256(token.encode()).digest()
        remembered = self._verified.get(digest)
        if remembered is not None and now < remembered[1]:
            return remembered[0]
        claims = await self._examine(token, now)
        while len(self._verified) >= _MOST_CLAIMS:
            self._verified.pop(next(iter(self._verified)))
        self._verified.pop(digest, None)
        self._verified[digest] = (claims, min(now + _CLAIMS_LIVE, claims.expires_at))
        return claims

    async def _examine(self, token: str, now: float) -> Claims:
        header, payload = _parts(token)
        if header.get("alg") != "RS256":
            raise TokenAlgorithm
        if "crit" in header or "b64" in header or not isinstance(header.get("kid"), str):
            raise TokenMalformed
        issuer = payload.get("iss")
        realm = self._realms.get(issuer) if isinstance(issuer, str) else None
        if realm is None:
            raise TokenIssuer
        key = await self._keys[realm].find(header["kid"])
        try:
            jws.deserialize_compact(token, key, algorithms=["RS256"])
        except (JoseError, ValueError) as error:
            raise TokenSignature from error
        if str(header.get("typ", "JWT")).lower() not in _ACCESS or payload.get("typ") != "Bearer":
            raise TokenType
        self._check_times(payload, now)
        audience = payload.get("aud")
        if self._audience not in (audience if isinstance(audience, list) else [audience]):
            raise TokenAudience
        client = payload.get("azp")
        if not isinstance(client, str) or client not in self._clients:
            raise TokenClient
        return _claims(realm, payload)

    def _check_times(self, payload: dict[str, Any], now: float) -> None:
        times: tuple[Any, Any, Any] = (payload.get("iat"), payload.get("exp"), payload.get("nbf", 0))
        if not all(isinstance(each, int | float) and not isinstance(each, bool) for each in times):
            raise TokenMalformed
        issued, expires, begins = times
        if now > expires + self._leeway:
            raise TokenExpired
        if max(issued, begins) > now + self._leeway:
            raise TokenNotYetValid


def _parts(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    try:
        head, body, _signature = token.split(".")
        header, payload = (orjson.loads(base64.urlsafe_b64decode(part + "==")) for part in (head, body))
    except ValueError as error:
        raise TokenMalformed from error
    if not isinstance(header, dict) or not isinstance(payload, dict):
        raise TokenMalformed
    return header, payload


def _claims(realm: str, payload: dict[str, Any]) -> Claims:
    acr, proven = payload.get("acr"), payload.get("auth_time")
    access = payload.get("realm_access")
    roles = access.get("roles") if isinstance(access, dict) else None
    names = {name: payload.get(name, "") for name in ("sub", "sid", "person_id", "employee_id")}
    if not all(isinstance(each, str) for each in names.values()) or not names["sub"]:
        raise TokenMalformed
    return Claims(
        realm=realm,
        subject=names["sub"],
        client=payload["azp"],
        session=names["sid"],
        acr=int(acr) if isinstance(acr, str) and acr.isascii() and acr.isdigit() else 0,
        proven_at=float(proven) if isinstance(proven, int | float) and not isinstance(proven, bool) else 0.0,
        person_id=names["person_id"],
        employee_id=names["employee_id"],
        roles=frozenset(each for each in roles if isinstance(each, str)) if isinstance(roles, list) else frozenset(),
        expires_at=float(payload["exp"]),
    )
