"""Log-outs that happen elsewhere, as the real Keycloak tells of them, and as a liar might."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from demo.browser import Browser
from gateway.domain import FACES

from .administration import Forger, administrator, forger
from .surroundings import World, person, until

CITIZEN = FACES["citizen"]
EVENT = "http://schemas.openid.net/event/backchannel-logout"


@pytest.fixture(scope="module")
async def keycloak(world: World) -> AsyncIterator[Forger]:
    """Signs with a key that the citizens' realm publishes."""
    async with (
        administrator("citizen") as admin,
        forger(admin, f"{world.settings.keycloak_url}/realms/citizen") as signing,
    ):
        # the gateway looks for new keys only now and then
        world.app.keycloak._keys.clear()
        yield signing


async def told(world: World, token: str, face: str = "citizen") -> httpx.Response:
    async with world.http() as keycloak:
        return await keycloak.post(f"/{face}/auth/backchannel-logout", data={"logout_token": token})


async def kept(world: World, browser: Browser) -> Any:
    return await world.app.sessions.read(CITIZEN, browser.cookies.get("__Host-citizen") or "")


async def inside_of(browser: Browser) -> bool:
    return (await browser.call("GET", "accounts/v1/me")).status_code == 200


async def test_an_administrator_logs_a_person_out_everywhere(world: World):
    async with world.browser() as phone, world.browser() as computer, world.browser() as stranger:
        for browser in (phone, computer):
            await browser.log_in(person("wangfang"))
        await stranger.log_in(person("lijing"))
        async with administrator("citizen") as admin:
            await admin.log_out("wangfang")

        async def out() -> bool:
            return not await inside_of(phone) and not await inside_of(computer)

        await until(out, within=5)
        assert await inside_of(stranger)


async def test_an_administrator_ends_one_log_in_and_the_others_go_on(world: World):
    async with world.browser() as phone, world.browser() as computer:
        for browser in (phone, computer):
            await browser.log_in(person("wangfang"))
        async with administrator("citizen") as admin:
            await admin.end_session((await kept(world, phone)).sid)

        async def out() -> bool:
            return not await inside_of(phone)

        await until(out, within=5)
        # it was asked for again at Keycloak, which knows it still
        assert await inside_of(computer)


async def test_a_log_out_everywhere_that_names_one_log_in_ends_the_others_too(world: World, keycloak: Forger):
    async with world.browser() as phone, world.browser() as computer:
        for browser in (phone, computer):
            await browser.log_in(person("wangfang"))
        first, second = await kept(world, phone), await kept(world, computer)
        # Keycloak has ended both; the word of the second is lost
        for each in (first, second):
            await world.app.keycloak.end("citizen", each.tokens.refresh)
        answer = await told(world, keycloak.log_out(sid=first.sid, sub=first.sub))
        assert answer.status_code == 200
        assert not await inside_of(phone)
        assert not await inside_of(computer)


async def test_a_sid_ends_its_log_in_alone(world: World, keycloak: Forger):
    async with world.browser() as phone, world.browser() as computer:
        for browser in (phone, computer):
            await browser.log_in(person("wangfang"))
        session = await kept(world, phone)
        answer = await told(world, keycloak.log_out(sid=session.sid))
        assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
        assert not await inside_of(phone)
        assert await inside_of(computer)


async def test_a_sub_alone_ends_all_log_ins_of_a_person(world: World, keycloak: Forger):
    async with world.browser() as phone, world.browser() as computer:
        for browser in (phone, computer):
            await browser.log_in(person("wangfang"))
        session = await kept(world, phone)
        assert (await told(world, keycloak.log_out(sub=session.sub))).status_code == 200
        assert not await inside_of(phone)
        assert not await inside_of(computer)


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://evil.example/realms/citizen"},
        {"iss": None},
        {"aud": "accounts"},
        {"aud": ["account", "accounts"]},
        {"aud": None},
        {"iat": 1},
        {"iat": None},
        {"iat": "now"},
        {"iat": 4102444800},
        {"exp": 1},
        {"events": None},
        {"events": {}},
        {"events": {EVENT: "yes"}},
        {"events": [EVENT]},
        {"events": {"http://schemas.openid.net/event/other": {}}},
        {"nonce": "x"},
        {"nonce": ""},
        {"jti": None},
        {"jti": ""},
        {"jti": 7},
        {"typ": "ID"},
        {"typ": "Bearer"},
        {"typ": "Refresh"},
        {"sub": None, "sid": None},
        {"sub": 7},
        {"header": {"typ": "at+jwt"}},
        {"header": {"typ": "JWT"}},
        {"header": {"typ": None}},
        {"header": {"kid": "another"}},
    ],
)
async def test_a_log_out_token_that_is_wrong_in_one_thing_ends_nothing(
    world: World, keycloak: Forger, logged_in: Browser, changes: dict[str, Any]
):
    session = await kept(world, logged_in)
    answer = await told(world, keycloak.log_out(**{"sub": session.sub, "sid": session.sid, **changes}))
    assert (answer.status_code, answer.headers["Cache-Control"]) == (400, "no-store")
    assert await kept(world, logged_in) == session


async def test_a_log_out_token_serves_once(world: World, keycloak: Forger):
    async with world.browser() as browser:
        await browser.log_in(person("wangfang"))
        token = keycloak.log_out(sub=(await kept(world, browser)).sub)
        answers = await asyncio.gather(*(told(world, token) for _ in range(5)))
        assert sorted(each.status_code for each in answers) == [200, 400, 400, 400, 400]
        await browser.log_in(person("wangfang"))
        assert (await told(world, token)).status_code == 400
        assert await inside_of(browser)


async def test_a_realm_s_word_counts_at_its_own_face_only(world: World, keycloak: Forger):
    assert (await told(world, keycloak.log_out(sub="x"), "workbench")).status_code == 400


async def test_a_log_out_token_too_long_or_twice_is_refused(world: World, keycloak: Forger):
    assert (await told(world, "x" * 20_000)).status_code == 400
    async with world.http() as stranger:
        answer = await stranger.post("/citizen/auth/backchannel-logout", data={"other": keycloak.log_out(sub="x")})
        assert answer.status_code == 400
        assert (await stranger.get("/citizen/auth/backchannel-logout")).status_code == 405


async def test_while_redis_is_away_a_log_out_is_not_taken_for_done(world: World, keycloak: Forger, logged_in: Browser):
    token = keycloak.log_out(sid="another")
    await world.redis.cut()
    try:
        assert (await told(world, token)).status_code == 400
    finally:
        await world.redis.mend()
    assert await inside_of(logged_in)


@pytest.fixture(scope="module")
async def logged_in(world: World) -> AsyncIterator[Browser]:
    async with world.browser() as browser:
        await browser.log_in(person("lijing"))
        yield browser
