"""Real tokens of a real Keycloak, and what is forged of them, at the gateway and at each service past it."""

import asyncio
import time

import httpx
import pytest
from attack.realm import administrator, wrong_under_a_right_signature
from attack.settings import SERVICES
from attack.tokens import Keycloak, forgeries, joined, parts
from attack.verbs import verbs
from demo.people import credentials
from demo.settings import Settings as DemoSettings

from attack import verbs as contract

DOORS = {
    "accounts": "me/access-log",
    "verification": "me/licences",
    "orchestration": "filings",
    "workbench": "messages",
}
FLOOD = 300
BRIEF = 2
# how long clocks may differ
LEEWAY = 30
REFUSED_WITHIN = 30


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


@pytest.fixture(scope="module")
async def wire():
    async with contract.wire() as lines:
        yield lines


@pytest.fixture(scope="module")
async def brief(keycloak, everybody):
    """A token that lives for two seconds, and when it was given."""
    assert everybody, "the people's accounts are there"
    async with administrator("citizen") as admin, admin.short_lived("gateway", BRIEF):
        given = await keycloak.log_in(credentials(DemoSettings(), "wangfang"))
    claims = parts(given.access)[1]
    assert claims["exp"] - claims["iat"] == BRIEF
    return given.access


@pytest.fixture
def everywhere(http, wire, settings, public_url):
    """What every door says to a token: services at the gateway and past it, and every verb past it."""

    async def ask(token):
        over_http = [(url, await told(http, url, token)) for _, url in doors(settings, public_url)]
        answers = [(verb, await wire.ask(verb, token)) for verb in verbs()]
        return over_http, [(verb, each.reason if each.code == "UNAUTHENTICATED" else each) for verb, each in answers]

    return ask


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


async def test_the_real_one_opens_every_door(everywhere, given, brief):
    for token in (given.access, brief):
        over_http, over_rpc = await everywhere(token)
        assert {answer for _, answer in over_http} == {(200, "")}
        for verb, answer in over_rpc:
            # an empty request is refused for what it lacks, by whoever it is open to
            wanted = {"OK", "INVALID_ARGUMENT", "FAILED_PRECONDITION", "PERMISSION_DENIED"}
            assert getattr(answer, "code", answer) in wanted, (verb.path, answer)
            assert (answer.reason == "CALLER_NOT_ALLOWED") == ("citizen" not in verb.callers), (verb.path, answer)


async def test_no_forgery_opens_any_door_and_each_is_told_why(everywhere, keycloak, given):
    public = next(key for key in await keycloak.keys("citizen") if key.kid == parts(given.access)[0]["kid"])
    assert [wrong for forged in forgeries(given, public) for wrong in await opened(everywhere, forged)] == []


async def opened(everywhere, forged):
    """The doors that did not refuse a token with the word that they should."""
    over_http, over_rpc = await everywhere(forged.token)
    status = 403 if forged.reason == "CALLER_UNKNOWN" else 401
    wrong = [(forged.what, url, answer) for url, answer in over_http if answer != (status, forged.reason)]
    for verb, answer in over_rpc:
        # how strong a log-in must be is asked of those to whom the verb is open
        barred = forged.reason == "STEP_UP_NEEDED" and "citizen" not in verb.callers
        wanted = "CALLER_NOT_ALLOWED" if barred else forged.reason
        # what is too long to be a token may already be too long for the wire
        cut_short = forged.reason == "TOKEN_TOO_LONG" and getattr(answer, "code", "") == "RESOURCE_EXHAUSTED"
        if getattr(answer, "reason", answer) != wanted and not cut_short:
            wrong.append((forged.what, verb.path, answer))
    return wrong


@pytest.mark.timeout(180)
async def test_the_realms_key_is_changed_and_what_it_signs_wrongly_opens_nothing(everywhere, keycloak, given):
    """A real rotation: the new key signs, the old one still counts, and a key that is taken back no longer does."""
    async with administrator("citizen") as admin, admin.signing_key() as stolen:
        new = await keycloak.log_in(credentials(DemoSettings(), "wangfang"))
        assert parts(new.access)[0]["kid"] == stolen.kid != parts(given.access)[0]["kid"]
        await until_all(everywhere, lambda: new.access, (200, ""))
        over_http, _ = await everywhere(given.access)
        assert {answer for _, answer in over_http} == {(200, "")}, "what the old key signed counts as long as it lives"
        forged = wrong_under_a_right_signature(new.access, stolen, int(time.time()))
        assert [wrong for each in forged for wrong in await opened(everywhere, each)] == []
    header, claims, signature = parts(new.access)

    def again():
        # a token that nobody has seen yet: those seen are remembered for a moment
        return stolen.signed(claims | {"jti": f"again {time.monotonic_ns()}"})

    # an unknown name makes the services ask for the keys anew
    await everywhere(joined({**header, "kid": "unknown"}, claims, signature))
    await until_all(everywhere, again, (401, "TOKEN_KEY_UNKNOWN"))
    over_http, _ = await everywhere(given.access)
    assert {answer for _, answer in over_http} == {(200, "")}


async def until_all(everywhere, token, wanted):
    """Wait until every door over HTTP says so to a token."""
    async with asyncio.timeout(REFUSED_WITHIN):
        while True:
            sent = token()
            over_http, _ = await everywhere(sent)
            if {answer for _, answer in over_http} == {wanted}:
                return
            header, claims, signature = parts(sent)
            await everywhere(joined({**header, "kid": f"unknown {time.monotonic_ns()}"}, claims, signature))
            await asyncio.sleep(1)


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


@pytest.mark.timeout(120)
async def test_a_real_token_ends(everywhere, brief):
    ends = parts(brief)[1]["exp"] + LEEWAY + 1
    await asyncio.sleep(max(0.0, ends - time.time()))
    over_http, over_rpc = await everywhere(brief)
    assert {answer for _, answer in over_http} == {(401, "TOKEN_EXPIRED")}
    assert {answer for _, answer in over_rpc} == {"TOKEN_EXPIRED"}
