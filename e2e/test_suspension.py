"""A suspended person is refused: through the gateway, with a living token at every service, and at the log-in."""

import base64
import hashlib
import os
import secrets
import time
from dataclasses import dataclass
from urllib.parse import urlencode

import httpx
import pytest
from demo.browser import Browser, LogInFailed
from demo.people import Cast, credentials, logged_in
from demo.settings import Settings
from joserfc import jwt
from joserfc.jwk import ECKey

from demo import city
from e2e.waiting import eventually

WHO = "lintao"
# a service's own door, and what a citizen may always ask there
DOORS = {
    "accounts": "/v1/me",
    "orchestration": "/v1/filings",
    "verification": "/v1/me/licences",
    "workbench": "/v1/messages",
}


@dataclass(frozen=True)
class Arrived(Exception):
    """The browser is sent back to the gateway with a code."""

    code: str


async def living_token(settings: Settings) -> str:
    """What the gateway holds for a person who is logged in: fetched as the gateway does, with its own key."""
    realm = f"{settings.keycloak_url}/realms/citizen"
    verifier, back = secrets.token_urlsafe(48), f"{settings.public_url}/citizen/auth/callback"
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    asked = {
        "client_id": "gateway",
        "response_type": "code",
        "scope": "openid",
        "redirect_uri": back,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }

    async def stop(request: httpx.Request) -> None:
        if request.url.path == "/citizen/auth/callback":
            raise Arrived(request.url.params["code"])

    async with Browser(settings.public_url, "citizen") as browser:
        hooks = browser.http.event_hooks
        browser.http.event_hooks = hooks | {"request": [*hooks["request"], stop]}
        with pytest.raises(Arrived) as arrived:
            await browser.answer(f"{realm}/protocol/openid-connect/auth?{urlencode(asked)}", credentials(settings, WHO))
        form = {
            "grant_type": "authorization_code",
            "code": arrived.value.code,
            "redirect_uri": back,
            "code_verifier": verifier,
            "client_id": "gateway",
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": assertion(realm),
        }
        async with httpx.AsyncClient(trust_env=False) as http:
            answer = await http.post(f"{realm}/protocol/openid-connect/token", data=form)
    return str(answer.raise_for_status().json()["access_token"])


def assertion(realm: str) -> str:
    """The gateway's word that it asks, good for a minute."""
    key, now = ECKey.import_key(os.environ["GATEWAY_CLIENT_KEY"]), int(time.time())
    claims = {"iss": "gateway", "sub": "gateway", "aud": realm, "jti": secrets.token_urlsafe(), "iat": now}
    header = {"alg": "ES256", "kid": key.thumbprint()}
    return jwt.encode(header, claims | {"exp": now + 60}, key, algorithms=["ES256"])


async def told(service: str, token: str) -> tuple[int, str]:
    """What a service says at its own door, where no gateway stands before it."""
    url = f"http://127.0.0.1:{os.environ[f'{service.upper()}_HTTP_PORT']}{DOORS[service]}"
    async with httpx.AsyncClient(trust_env=False) as http:
        answer = await http.get(url, headers={"Authorization": f"Bearer {token}"})
    return answer.status_code, answer.json().get("reason", "")


async def test_a_living_token_is_refused_by_everybody_from_the_suspension_on(people: Cast, settings: Settings) -> None:
    account = f"accounts/v1/accounts/person/{city.citizen(WHO)['person_id']}"
    async with logged_in(settings, WHO) as person, logged_in(settings, "admin") as administrator:
        if (await administrator.get(account))["state"] != "active":
            await administrator.post(f"{account}:reactivate", {"reason": "上次演示未恢复"})
        token = await living_token(settings)
        for service, path in DOORS.items():
            assert (await told(service, token))[0] == 200
            await person.get(f"{service}{path}")

        await administrator.post(f"{account}:suspend", {"reason": "本人报失"})
        try:
            for service in DOORS:
                await eventually(lambda service=service: refused(service, token), within=10)
            await eventually(lambda: turned_away(person), within=20)
            await eventually(lambda: locked_out(settings), within=30, every=2)
        finally:
            await administrator.post(f"{account}:reactivate", {"reason": "已找回"})
    await eventually(lambda: let_in(settings), within=30, every=2)


async def refused(service: str, token: str) -> bool:
    answer = await told(service, token)
    assert answer in {(200, ""), (403, "ACCOUNT_SUSPENDED")}
    return answer[0] == 403


async def turned_away(person: Browser) -> bool:
    """Through the gateway: refused by the service, until the session itself is over."""
    answer = await person.call("GET", "orchestration/v1/filings")
    said = (answer.status_code, answer.json().get("reason", ""))
    assert said in {(200, ""), (403, "ACCOUNT_SUSPENDED"), (401, "SESSION_MISSING")}
    return said[0] == 401


async def locked_out(settings: Settings) -> bool:
    try:
        async with logged_in(settings, WHO):
            return False
    except LogInFailed:
        return True


async def let_in(settings: Settings) -> bool:
    return not await locked_out(settings)
