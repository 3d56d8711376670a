"""Tokens that Keycloak really gave, and what thieves and forgers make of them."""

import base64
import hashlib
import hmac
import json
import secrets
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
from demo.browser import Browser, Credentials, LogInFailed
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

# each face's realm, and how its people log in at least
REALMS = {"citizen": "citizen", "workbench": "gov"}
STRONG = {"workbench": {"acr_values": "2"}}
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

type JSON = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Given:
    """What one log-in at Keycloak brings."""

    access: str = field(repr=False)
    identity: str = field(repr=False)
    refresh: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Forged:
    """A token that must not open anything, and the word it must be refused with."""

    what: str
    token: str = field(repr=False)
    reason: str


@dataclass(frozen=True, slots=True)
class Keycloak:
    """The log-in service as somebody sees it who has stolen the gateway's own key."""

    url: str
    public_url: str
    client_key: str = field(repr=False)

    async def log_in(self, who: Credentials, face: str = "citizen") -> Given:
        """The code flow past the gateway, up to all three tokens."""
        callback, issuer = f"{self.public_url}/{face}/auth/callback", f"{self.url}/realms/{REALMS[face]}"
        asked = {"client_id": "gateway", "response_type": "code", "scope": "openid", "redirect_uri": callback}
        asked |= STRONG.get(face, {})
        verifier = secrets.token_urlsafe(48)
        asked |= {"code_challenge": _challenge(verifier), "code_challenge_method": "S256", "state": "stolen"}
        seen: list[str] = []
        async with Browser(self.public_url, face) as browser:

            async def watch(request: httpx.Request) -> None:
                seen.append(str(request.url))

            browser.http.event_hooks["request"].append(watch)
            try:
                await browser.answer(f"{issuer}/protocol/openid-connect/auth?{urlencode(asked)}", who)
            except LogInFailed:
                # the gateway has not begun this log-in and shows a refusal; the code is ours all the same
                seen = [url for url in seen if url.startswith(callback)]
            code = parse_qs(urlsplit(seen[-1]).query)["code"][0]
            form = {"grant_type": "authorization_code", "code": code, "redirect_uri": callback}
            return await self._tokens(REALMS[face], form | {"code_verifier": verifier} | self._assertion(issuer))

    async def of_service(self, client: str, secret: str) -> str:
        """A service's own token."""
        form = {"grant_type": "client_credentials", "client_id": client, "client_secret": secret}
        return (await self._tokens("gov", form)).access

    async def keys(self, realm: str) -> list[RSAKey]:
        """The public keys that sign the realm's tokens."""
        url = f"{self.url}/realms/{realm}/protocol/openid-connect/certs"
        async with httpx.AsyncClient(trust_env=False) as http:
            published = (await http.get(url)).json()["keys"]
        return [RSAKey.import_key(key) for key in published if key["alg"] == "RS256"]

    async def _tokens(self, realm: str, form: dict[str, str]) -> Given:
        async with httpx.AsyncClient(trust_env=False) as http:
            answer = await http.post(f"{self.url}/realms/{realm}/protocol/openid-connect/token", data=form)
        told = answer.raise_for_status().json()
        return Given(told["access_token"], told.get("id_token", ""), told.get("refresh_token", ""))

    def _assertion(self, issuer: str) -> dict[str, str]:
        key, now = ECKey.import_key(self.client_key), int(time.time())
        claims = {"iss": "gateway", "sub": "gateway", "aud": issuer, "iat": now, "exp": now + 60}
        claims["jti"] = secrets.token_hex(8)
        signed = jwt.encode({"alg": "ES256", "kid": key.thumbprint()}, claims, key, algorithms=["ES256"])
        return {"client_id": "gateway", "client_assertion_type": ASSERTION, "client_assertion": signed}


def forgeries(given: Given, public: RSAKey) -> list[Forged]:
    """Everything that can be made of a real citizen's tokens without the realm's private key."""
    header, claims, signature = parts(given.access)
    thief = RSAKey.generate_key(2048, {"kid": "thief"}, private=True)
    own = jwt.encode({"alg": "RS256", "typ": "JWT", "kid": "thief"}, claims, thief, algorithms=["RS256"])
    named = {**header, "kid": header["kid"]}
    sent_along = {"alg": "RS256", "typ": "JWT", "kid": "thief", "jwk": thief.as_dict(private=False)}
    known_name = RSAKey.import_key({**thief.as_dict(private=True), "kid": header["kid"]})
    now = int(claims["exp"])
    return [
        Forged("alg none", joined({**named, "alg": "none"}, claims, ""), "TOKEN_ALGORITHM"),
        Forged("alg nOnE, old signature", joined({**named, "alg": "nOnE"}, claims, signature), "TOKEN_ALGORITHM"),
        Forged("HS256 with the public key (PEM)", _mac(named, claims, public.as_pem(private=False)), "TOKEN_ALGORITHM"),
        Forged("HS256 with the public key (DER)", _mac(named, claims, public.as_der(private=False)), "TOKEN_ALGORITHM"),
        Forged(
            "another person, old signature", joined(named, claims | {"person_id": "x"}, signature), "TOKEN_SIGNATURE"
        ),
        Forged(
            "a longer life, old signature", joined(named, claims | {"exp": now + 9999}, signature), "TOKEN_SIGNATURE"
        ),
        Forged("no signature", joined(named, claims, ""), "TOKEN_SIGNATURE"),
        Forged("signature of nothing", joined(named, claims, "AAAA"), "TOKEN_SIGNATURE"),
        Forged("a thief's key", own, "TOKEN_KEY_UNKNOWN"),
        Forged("a thief's key sent along", _signed(sent_along, claims, thief), "TOKEN_KEY_UNKNOWN"),
        Forged(
            "a thief's key at an address",
            _signed({"alg": "RS256", "kid": "thief", "jku": "http://127.0.0.1:1/"}, claims, thief),
            "TOKEN_KEY_UNKNOWN",
        ),
        Forged("a thief's key under a known name", _signed(header, claims, known_name), "TOKEN_SIGNATURE"),
        Forged(
            "the other realm's name",
            joined(named, claims | {"iss": claims["iss"].replace("citizen", "gov")}, signature),
            "TOKEN_KEY_UNKNOWN",
        ),
        Forged(
            "the master realm's name",
            joined(named, claims | {"iss": claims["iss"].replace("citizen", "master")}, signature),
            "TOKEN_ISSUER",
        ),
        Forged("crit", joined({**named, "crit": ["exp"]}, claims, signature), "TOKEN_MALFORMED"),
        Forged("no key named", joined({"alg": "RS256"}, claims, signature), "TOKEN_MALFORMED"),
        Forged("an identity token", given.identity, "TOKEN_TYPE"),
        Forged("a refresh token", given.refresh, "TOKEN_ALGORITHM"),
        Forged("9 KiB", given.access + "A" * 9000, "TOKEN_TOO_LONG"),
        Forged("half a token", given.access.rpartition(".")[0], "TOKEN_MALFORMED"),
    ]


def parts(token: str) -> tuple[JSON, JSON, str]:
    """Header, claims and signature."""
    header, claims, signature = token.split(".")
    return _read(header), _read(claims), signature


def joined(header: JSON, claims: JSON, signature: str) -> str:
    """A token of these parts, whatever the signature."""
    return f"{_spelt(json.dumps(header).encode())}.{_spelt(json.dumps(claims).encode())}.{signature}"


def _signed(header: JSON, claims: JSON, key: RSAKey) -> str:
    unsigned = jwt.encode({"alg": "RS256", "kid": header["kid"]}, claims, key, algorithms=["RS256"])
    if set(header) <= {"alg", "kid", "typ"}:
        return unsigned
    # what is sent along need not be signed to be obeyed
    return joined(header, claims, unsigned.rpartition(".")[2])


def _mac(header: JSON, claims: JSON, secret: bytes) -> str:
    unsigned = joined({**header, "alg": "HS256"}, claims, "")[:-1]
    return f"{unsigned}.{_spelt(hmac.digest(secret, unsigned.encode(), 'sha256'))}"


def _challenge(verifier: str) -> str:
    return _spelt(hashlib.sha256(verifier.encode()).digest())


def _spelt(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _read(part: str) -> JSON:
    read: JSON = json.loads(base64.urlsafe_b64decode(part + "=="))
    return read
