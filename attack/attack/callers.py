"""Who calls past the gateway: nobody, people and officers with tokens of their own, and every service itself."""

import base64
import hashlib
import secrets
from dataclasses import dataclass
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import httpx
from demo.browser import Browser, Credentials, LogInFailed
from demo.people import credentials
from demo.settings import Settings as DemoSettings

from attack.settings import SERVICES, Settings
from attack.tokens import Given, Keycloak
from demo import city

PURPOSE = quote("办理出生一件事")
CITIZENS = ("lijing", "wangfang")
# one may decide and issue, one administers accounts, one is of another district
OFFICERS = ("police", "admin", "zichuan")
# who sends what is too large: one who may, and one whom nobody knows
LARGE = frozenset({"nobody", "lijing", "service orchestration"})
REALMS = {"citizen": "citizen", "workbench": "gov"}


@dataclass(frozen=True)
class Caller:
    """A name for the report, and what is sent along with every call."""

    name: str
    metadata: tuple[tuple[str, str], ...] = ()


class Issuer(Keycloak):
    """Keycloak as a thief of the gateway's key sees it, at either face."""

    async def log_in_at(self, face: str, who: Credentials) -> Given:
        """The code flow past the gateway, by somebody of this face."""
        callback, issuer = f"{self.public_url}/{face}/auth/callback", f"{self.url}/realms/{REALMS[face]}"
        asked = {"client_id": "gateway", "response_type": "code", "scope": "openid", "redirect_uri": callback}
        verifier = secrets.token_urlsafe(48)
        asked |= {"code_challenge": _challenge(verifier), "code_challenge_method": "S256", "state": "stolen"}
        asked |= {"acr_values": "2"} if face == "workbench" else {}
        seen: list[str] = []
        async with Browser(self.public_url, face) as browser:

            async def watch(request: httpx.Request) -> None:
                seen.append(str(request.url))

            browser.http.event_hooks["request"].append(watch)
            try:
                await browser.answer(f"{issuer}/protocol/openid-connect/auth?{urlencode(asked)}", who)
            except LogInFailed:
                # the gateway has not begun this log-in; the code is ours all the same
                seen = [url for url in seen if url.startswith(callback)]
        code = parse_qs(urlsplit(seen[-1]).query)["code"][0]
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": callback, "code_verifier": verifier}
        return await self._tokens(REALMS[face], form | self._assertion(issuer))


def _challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


async def everybody(settings: Settings) -> list[Caller]:
    """All callers; the tokens live some minutes."""
    demo = DemoSettings()
    issuer = Issuer(settings.tongban_keycloak_url, demo.public_url, settings.gateway_client_key)
    found = [Caller("nobody"), Caller("a forger", _bearer("eyJhbGciOiJub25lIn0.e30."))]
    for name in CITIZENS:
        given = await issuer.log_in_at("citizen", credentials(demo, name))
        found.append(Caller(name, _bearer(given.access)))
    for name in OFFICERS:
        given = await issuer.log_in_at("workbench", credentials(demo, name))
        found.append(Caller(name, (*_bearer(given.access), ("x-post", city.employee(name)["post_id"]))))
    for name in SERVICES:
        token = await issuer.of_service(name, settings.client_secrets[name])
        found.append(Caller(f"service {name}", _bearer(token)))
    return found


def _bearer(token: str) -> tuple[tuple[str, str], ...]:
    return (("authorization", f"Bearer {token}"), ("x-purpose", PURPOSE))
