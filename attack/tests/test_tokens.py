"""Real tokens of a real Keycloak, and what is forged of them, at the gateway and at each service past it."""

import asyncio

import httpx
import pytest
from attack.settings import SERVICES
from attack.tokens import Keycloak, forgeries, joined, parts
from demo.people import credentials
from demo.settings import Settings as DemoSettings

DOORS = {
    "accounts": "me/access-log",
    "verification": "me/licences",
    "orchestration": "filings",
    "workbench": "messages",
}
FLOOD = 300


@pytest.fixture(scope="module")
def keycloak(settings, public_url):
    return Keycloak(settings.tongban_keycloak_url, public_url, settings.gateway_client_key)


@pytest.fixture(scope="module")
async def given(keycloak, everybody):
    assert everybody, "the people's accounts are there"
    return await keycloak.log_in(credentials(DemoSettings(), "wangfang"))


@pytest.fixture(scope="module")
async def http():
    async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
        yield client


def doors(settings, public_url):
    for service in SERVICES:
        yield service, f"{public_url}/api/{service}/v1/{DOORS[service]}"
        yield service, f"http://127.0.0.1:{settings.ports[service]}/v1/{DOORS[service]}"


async def told(http, url, token):
    """The status and the reason; asked again when the gateway finds us too fast."""
    while True:
        answer = await http.get(url, headers={"Authorization": f"Bearer {token}"})
        if answer.status_code != 429:
            return answer.status_code, "" if answer.is_success else answer.json()["reason"]
        await asyncio.sleep(float(answer.headers["Retry-After"]))


async def test_the_real_one_opens_every_door(http, settings, public_url, given):
    for service, url in doors(settings, public_url):
        assert (service, url, await told(http, url, given.access)) == (service, url, (200, ""))


async def test_no_forgery_opens_any_door_and_each_is_told_why(http, settings, public_url, keycloak, given):
    public = next(key for key in await keycloak.keys("citizen") if key.kid == parts(given.access)[0]["kid"])
    wrong = []
    for forged in forgeries(given, public):
        for service, url in doors(settings, public_url):
            answer = await told(http, url, forged.token)
            if answer != (401, forged.reason):
                wrong.append((forged.what, service, url, answer, forged.reason))
    assert wrong == []


async def test_a_services_own_token_is_meant_for_others_and_opens_nothing_of_people(
    http, settings, public_url, keycloak
):
    own = await keycloak.of_service("workbench", settings.workbench_client_secret)
    meant = parts(own)[1]["aud"]
    assert "workbench" not in meant, "its own token must not open its own door"
    for service, url in doors(settings, public_url):
        wanted = (403, "CALLER_NOT_ALLOWED") if service in meant else (401, "TOKEN_AUDIENCE")
        assert (service, url, await told(http, url, own)) == (service, url, wanted)


async def test_a_departments_token_opens_no_service_past_the_gateway(http, settings, keycloak):
    demo = DemoSettings()
    strange = await keycloak.of_service("department-sandbox", demo.sandbox_secret)
    for service in ("accounts", "verification", "workbench"):
        url = f"http://127.0.0.1:{settings.ports[service]}/v1/{DOORS[service]}"
        status, reason = await told(http, url, strange)
        assert (service, status) == (service, 401)
        assert reason in {"TOKEN_AUDIENCE", "TOKEN_CLIENT"}


async def test_a_flood_of_unknown_keys_keeps_nobody_out(http, settings, given):
    header, claims, signature = parts(given.access)
    for service in SERVICES:
        url = f"http://127.0.0.1:{settings.ports[service]}/v1/{DOORS[service]}"
        flood = [joined({**header, "kid": f"unknown-{each}"}, claims, signature) for each in range(FLOOD)]
        answers = await asyncio.gather(*(told(http, url, token) for token in flood), told(http, url, given.access))
        assert set(answers[:-1]) == {(401, "TOKEN_KEY_UNKNOWN")}
        assert answers[-1] == (200, "")
