"""Keycloak as the gateway's log-in service: begin, exchange, renew, end. The only place that speaks OpenID Connect."""

import asyncio
import base64
import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import aiohttp
import orjson
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet

from gateway.domain import (
    Face,
    IssuerMismatch,
    KeycloakAway,
    LogInRefused,
    LogoutTokenRefused,
    SessionMissing,
)
from gateway.sessions import LogIn, Tokens

ASSERTION_LASTS = 60
LEEWAY = 30
KEYS_AGAIN_AFTER = 10.0
KEYS_LAST = 60.0  # how long a key that a realm takes back goes on opening
LOGOUT_TOKEN_FRESH = 120
# Chinese, whatever the browser is set to; who chooses another language at the page has it for this log-in
LANGUAGES = "zh-Hans zh-CN"
LOGOUT_TYPE = "logout+jwt"
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"
_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_TIMEOUT = aiohttp.ClientTimeout(total=8, connect=2)
_KNOCK = aiohttp.ClientTimeout(total=4, connect=2)


class GrantGone(SessionMissing):
    """Keycloak no longer knows this log-in."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who logged in, as the ID token and the access token say."""

    sub: str
    sid: str
    person_id: str
    acr: int
    proven: float


@dataclass(frozen=True, slots=True)
class LogoutToken:
    """Keycloak's word that somebody logged out elsewhere."""

    realm: str
    sub: str | None
    sid: str | None
    jti: str


class Keycloak:
    """The gateway's side of the code flow, for every realm."""

    def __init__(
        self,
        http: aiohttp.ClientSession,
        url: str,
        *,
        inner_url: str,
        public_url: str,
        client_id: str,
        client_key: str,
        clock: Callable[[], datetime],
        ids: Callable[[], UUID],
    ) -> None:
        self._http = http
        self._url = url.rstrip("/")
        self._inner_url = inner_url.rstrip("/")
        self._public_url = public_url
        self._client_id = client_id
        self._key = ECKey.import_key(client_key)
        self._kid = self._key.thumbprint()
        self._clock = clock
        self._ids = ids
        self._keys: dict[str, tuple[KeySet, float]] = {}
        self._asking = asyncio.Lock()

    def issuer(self, realm: str) -> str:
        return f"{self._url}/realms/{realm}"

    def log_in_url(self, face: Face, state: str, log_in: LogIn) -> str:
        """Where the browser goes to log in."""
        challenge = base64.urlsafe_b64encode(hashlib.sha256(log_in.verifier.encode()).digest()).rstrip(b"=").decode()
        asked = {
            "client_id": self._client_id,
            "response_type": "code",
            "scope": "openid",
            "redirect_uri": self._callback(face),
            "state": state,
            "nonce": log_in.nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            "acr_values": str(log_in.acr),
            "ui_locales": LANGUAGES,
        }
        if log_in.max_age is not None:
            asked["max_age"] = str(log_in.max_age)
        if log_in.action is not None:
            # whoever finds a browser open does not know the old password
            asked |= {"kc_action": log_in.action, "max_age": "0"}
        return f"{self._browsers(face.realm, 'auth')}?{urlencode(asked)}"

    def log_out_url(self, face: Face) -> str:
        """Where the browser goes to end Keycloak's session, when we could not."""
        asked = {"client_id": self._client_id, "post_logout_redirect_uri": f"{self._public_url}{face.home}"}
        return f"{self._browsers(face.realm, 'logout')}?{urlencode(asked)}"

    async def exchange(self, face: Face, code: str, log_in: LogIn) -> tuple[Identity, Tokens]:
        """Trade the code for tokens, and read who it is."""
        status, answer = await self._ask(
            face.realm,
            "token",
            {
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": self._callback(face),
                "code_verifier": log_in.verifier,
            },
        )
        if status != 200:  # noqa: PLR2004
            raise LogInRefused
        tokens = self._tokens(answer)
        id_token = await self._claims(face.realm, answer["id_token"])
        if id_token.get("typ") != "ID" or id_token.get("nonce") != log_in.nonce:
            raise LogInRefused
        if id_token.get("aud") != self._client_id or id_token.get("azp", self._client_id) != self._client_id:
            raise LogInRefused
        access = await self._claims(face.realm, tokens.access)
        if access.get("sub") != id_token.get("sub"):
            raise LogInRefused
        return _identity(id_token, access), tokens

    async def renew(self, realm: str, refresh_token: str) -> Tokens:
        """New tokens for old; GrantGone if the log-in is over.

        A refresh token that is sent into silence may be used up all the same: first look whether anybody answers.
        """
        await self._knock(realm)
        status, answer = await self._ask(
            realm, "token", {"grant_type": "refresh_token", "refresh_token": refresh_token}
        )
        if status == 200:  # noqa: PLR2004
            return self._tokens(answer)
        if answer.get("error") == "invalid_grant":
            raise GrantGone
        raise KeycloakAway

    async def end(self, realm: str, refresh_token: str) -> None:
        """End the log-in at Keycloak, which tells its other clients."""
        status, _ = await self._ask(realm, "logout", {"refresh_token": refresh_token})
        if status not in (200, 204, 400):  # 400: it has ended already
            raise KeycloakAway

    async def read_logout_token(self, face: Face, token: str) -> LogoutToken:
        """Believe a log-out only from Keycloak, for us, just now (OpenID Connect Back-Channel Logout 2.6)."""
        try:
            decoded = await self._decoded(face.realm, token)
            claims = self._checked(face.realm, decoded.claims)
        except (LogInRefused, IssuerMismatch) as error:
            raise LogoutTokenRefused from error
        sub, sid, jti = (claims.get(name) for name in ("sub", "sid", "jti"))
        audience = claims.get("aud")
        events = claims.get("events")
        sound = (
            decoded.header.get("typ") == LOGOUT_TYPE,
            # ID, access and refresh tokens are signed by the same key
            claims.get("typ", "Logout") == "Logout",
            self._client_id in (audience if isinstance(audience, list) else [audience]),
            isinstance(events, dict) and isinstance(events.get(LOGOUT_EVENT), dict),
            self._clock().timestamp() - _number(claims.get("iat")) <= LOGOUT_TOKEN_FRESH,
            bool(sub or sid) and all(each is None or isinstance(each, str) for each in (sub, sid)),
            isinstance(jti, str) and bool(jti),
            "nonce" not in claims,
        )
        if not all(sound):
            raise LogoutTokenRefused
        return LogoutToken(face.realm, sub, sid, str(jti))

    async def _knock(self, realm: str) -> None:
        try:
            async with self._http.get(self._endpoint(realm, "certs"), timeout=_KNOCK) as answer:
                answer.raise_for_status()
                await answer.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise KeycloakAway from error

    async def _ask(self, realm: str, endpoint: str, form: Mapping[str, str]) -> tuple[int, dict[str, Any]]:
        sent = {**form, "client_id": self._client_id, **self._assertion(realm)}
        try:
            async with self._http.post(self._endpoint(realm, endpoint), data=sent, timeout=_TIMEOUT) as answer:
                body = await answer.read()
                if answer.status >= 500:  # noqa: PLR2004
                    raise KeycloakAway
                return answer.status, orjson.loads(body) if body else {}
        except (aiohttp.ClientError, TimeoutError, orjson.JSONDecodeError) as error:
            raise KeycloakAway from error

    def _assertion(self, realm: str) -> dict[str, str]:
        """Prove that we are the gateway: a signed word, good once and for a minute (private_key_jwt)."""
        now = int(self._clock().timestamp())
        claims = {
            "iss": self._client_id,
            "sub": self._client_id,
            "aud": self.issuer(realm),
            "jti": str(self._ids()),
            "iat": now,
            "exp": now + ASSERTION_LASTS,
        }
        signed = jwt.encode({"alg": "ES256", "kid": self._kid}, claims, self._key, algorithms=["ES256"])
        return {"client_assertion_type": _ASSERTION_TYPE, "client_assertion": signed}

    async def _claims(self, realm: str, token: str) -> dict[str, Any]:
        """What a token that Keycloak signed says; times and issuer checked."""
        return self._checked(realm, (await self._decoded(realm, token)).claims)

    async def _decoded(self, realm: str, token: str) -> jwt.Token:
        try:
            try:
                return jwt.decode(token, await self._key_set(realm), algorithms=["RS256"])
            except JoseError:  # perhaps the keys were changed
                return jwt.decode(token, await self._key_set(realm, again=True), algorithms=["RS256"])
        except (JoseError, ValueError) as error:
            raise LogInRefused from error

    def _checked(self, realm: str, claims: dict[str, Any]) -> dict[str, Any]:
        if claims.get("iss") != self.issuer(realm):
            raise IssuerMismatch
        now = self._clock().timestamp()
        if not now - LEEWAY < _number(claims.get("exp", now + 1)) or _number(claims.get("iat")) > now + LEEWAY:
            raise LogInRefused
        return claims

    async def _key_set(self, realm: str, *, again: bool = False) -> KeySet:
        """The realm's keys; asked for once for all who wait, and not again at once, whoever sends us what."""
        async with self._asking:
            known, tried_at = self._keys.get(realm, (None, 0.0))
            if known is not None and time.monotonic() - tried_at < (KEYS_AGAIN_AFTER if again else KEYS_LAST):
                return known
            try:
                async with self._http.get(self._endpoint(realm, "certs"), timeout=_TIMEOUT) as answer:
                    answer.raise_for_status()
                    published = await answer.json()
                known = KeySet.import_key_set({"keys": [key for key in published["keys"] if key.get("use") == "sig"]})
            except (aiohttp.ClientError, TimeoutError, ValueError) as error:
                if known is None:
                    raise KeycloakAway from error
            self._keys[realm] = (known, time.monotonic())
            return known

    def _tokens(self, answer: Mapping[str, Any]) -> Tokens:
        try:
            until = self._clock().timestamp() + float(answer["expires_in"])
            return Tokens(answer["access_token"], until, answer["refresh_token"])
        except (KeyError, ValueError) as error:
            raise KeycloakAway from error

    def _endpoint(self, realm: str, name: str) -> str:
        return f"{self._inner_url}/realms/{realm}/protocol/openid-connect/{name}"

    def _browsers(self, realm: str, name: str) -> str:
        return f"{self.issuer(realm)}/protocol/openid-connect/{name}"

    def _callback(self, face: Face) -> str:
        return f"{self._public_url}/{face.name}/auth/callback"


def _identity(id_token: Mapping[str, Any], access: Mapping[str, Any]) -> Identity:
    acr = str(id_token.get("acr", ""))
    return Identity(
        sub=id_token["sub"],
        sid=id_token.get("sid", ""),
        person_id=access.get("person_id") or access.get("employee_id") or "",
        acr=int(acr) if acr.isascii() and acr.isdigit() else 0,
        proven=_number(id_token.get("auth_time")) or _number(id_token.get("iat")),
    )


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else 0.0
