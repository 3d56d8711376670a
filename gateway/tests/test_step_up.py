"""An act needs more than the log-in has: the person proves it, and comes back to the act."""

from collections.abc import AsyncIterator
from contextlib import nullcontext
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from common.errors import Refusal
from demo.browser import Browser
from gateway.domain import FACES, LogInRefused, LogInTooOld, LogInTooWeak, StepUpByAnother
from gateway.sessions import LogIn
from gateway.tokens import LEEWAY, Identity
from gateway.usecases import check_identity

from .surroundings import World, person, until

CITIZEN = FACES["citizen"]
ACT = "/citizen/filings/7?tab=consents"
NOW = 1_800_000_000.0
SENSITIVE = "accounts/v1/sensitive"


@pytest.fixture
async def father(world: World) -> AsyncIterator[Browser]:
    """A citizen with a one-time code, logged in by password."""
    async with world.browser() as browser:
        await browser.log_in(person("zhangwei"))
        yield browser


async def step_up(browser: Browser, username: str = "zhangwei", **params: str):
    return await browser.answer(f"/{browser.face}/auth/step-up", person(username), params=params)


async def test_an_act_that_needs_more_is_refused_proven_and_done(world: World, father: Browser):
    refused = await father.call("GET", SENSITIVE)
    assert refused.status_code == 401
    assert refused.headers["WWW-Authenticate"].startswith('Bearer error="insufficient_user_authentication"')
    level = str(refused.json()["data"]["acr"])
    # the session is not over for that
    before, was = await father.session(), father.cookies.get("__Host-citizen") or ""
    page = await step_up(father, acr=level, return_to=ACT)
    assert str(page.url) == f"{world.url}{ACT}"
    after = await father.session()
    assert (before["acr"], after["acr"]) == (1, 2)
    assert after["person_id"] == before["person_id"]
    assert (await father.call("GET", SENSITIVE)).status_code == 200
    # a new id, and the old one opens nothing; no longer a life than before
    assert father.cookies.get("__Host-citizen") not in (None, was)
    assert await world.app.sessions.read(CITIZEN, was) is None
    assert (after["began_at"], after["ends_at"]) == (before["began_at"], before["ends_at"])
    # our own pages still show that a call is theirs as before
    assert (await father.call("POST", "accounts/v1/things", {})).status_code == 200
    # and a token that is renewed is as strong
    await world.app.sessions.doubt("citizen", (await kept(world, father)).sub)
    assert (await father.call("GET", SENSITIVE)).status_code == 200


async def test_whoever_has_no_code_stays_as_strong_as_before(world: World):
    async with world.browser() as mother:
        await mother.log_in(person("lijing"))
        was = mother.cookies.get("__Host-citizen")
        page = await mother.visit("/citizen/auth/step-up", params={"acr": "2", "return_to": ACT})
        assert page.status_code == 403
        assert "LOG_IN_TOO_WEAK" in page.text
        assert mother.cookies.get("__Host-citizen") == was
        assert (await mother.session())["acr"] == 1
        assert (await mother.call("GET", SENSITIVE)).status_code == 401


async def test_a_proof_may_be_asked_for_anew(world: World, father: Browser):
    proven = (await father.session())["proven_at"]

    async def a_second_later() -> bool:
        return world.app.clock().timestamp() > (await kept(world, father)).proven + 1

    await until(a_second_later)
    way = await father.http.get(f"{world.url}/citizen/auth/step-up", params={"max_age": "0", "return_to": ACT})
    asked = parse_qs(urlsplit(way.headers["Location"]).query)
    assert (asked["max_age"], asked["acr_values"]) == (["0"], ["1"])
    page = await father.visit(way.headers["Location"])
    assert "password" in page.text
    page = await father.answer(way.headers["Location"], person("zhangwei"))
    assert page.url.path == "/citizen/filings/7"
    assert (await father.session())["proven_at"] > proven


async def test_a_service_asks_how_long_ago_the_person_logged_in(world: World, father: Browser):
    recent = f"{SENSITIVE}?max_age=3"
    began = (await father.session())["proven_at"]

    async def too_long_ago() -> bool:
        return (await father.call("GET", recent)).status_code == 401

    await until(too_long_ago)
    refused = await father.call("GET", recent)
    assert refused.json()["data"] == {"acr": 1, "max_age": 3}
    assert refused.headers["WWW-Authenticate"].endswith('acr_values="1", max_age="3"')
    # renewing the token makes nobody's proof younger
    await world.app.sessions.doubt("citizen", (await kept(world, father)).sub)
    assert (await father.call("GET", recent)).status_code == 401
    page = await step_up(father, max_age="3", return_to=ACT)
    assert str(page.url) == f"{world.url}{ACT}"
    assert (await father.session())["proven_at"] > began
    assert (await father.call("GET", recent)).status_code == 200


async def kept(world: World, browser: Browser):
    return await world.app.sessions.read(CITIZEN, browser.cookies.get("__Host-citizen") or "")


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({}, None),
        ({"acr": 1}, LogInTooWeak),
        ({"acr": 0}, LogInTooWeak),
        ({"acr": 3}, None),
        ({"proven": NOW - 60 - LEEWAY}, None),
        ({"proven": NOW - 61 - LEEWAY}, LogInTooOld),
        ({"proven": 0.0}, LogInTooOld),
        ({"sub": "another"}, StepUpByAnother),
        ({"person_id": ""}, LogInRefused),
    ],
)
def test_what_keycloak_answers_counts_not_what_it_was_asked(changes: dict[str, Any], refusal: type[Refusal] | None):
    asked = LogIn("citizen", "nonce", "verifier", "browser", "/citizen/", 2, sub="sub", max_age=60)
    identity = replace(Identity("sub", "sid", "person", 2, NOW), **changes)
    with nullcontext() if refusal is None else pytest.raises(refusal):
        check_identity(identity, asked, NOW)


async def test_another_person_s_proof_is_refused(world: World, father: Browser):
    was = father.cookies.get("__Host-citizen")
    way = await father.http.get(f"{world.url}/citizen/auth/step-up", params={"acr": "1", "return_to": ACT})
    async with world.browser() as neighbour:
        # the neighbour sits down at the same browser and is known to Keycloak
        await neighbour.log_in(person("wangfang"))
        callback = await neighbour.http.get(way.headers["Location"])
    page = await father.visit(callback.headers["Location"])
    assert page.status_code == 403
    assert "STEP_UP_BY_ANOTHER" in page.text
    assert father.cookies.get("__Host-citizen") == was
    assert (await father.session())["person_id"].endswith("202")


async def test_without_a_session_a_step_up_is_a_log_in(world: World):
    async with world.browser() as browser:
        page = await step_up(browser, acr="2", return_to=ACT)
        assert str(page.url) == f"{world.url}{ACT}"
        assert (await browser.session())["acr"] == 2
