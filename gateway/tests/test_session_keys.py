"""The key of sessions is changed while people go on working; nobody is logged out who need not be."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from demo.browser import Browser
from gateway.domain import FACES
from gateway.sessions import LogIn
from pydantic import SecretStr
from sealing import key_id

from gateway import main

from .surroundings import World, around, person, until
from .test_sessions import aged, session_id

CITIZEN = FACES["citizen"]
NEW = SecretStr(base64.b64encode(b"2" * 32).decode())
LOG_IN = LogIn("citizen", "nonce", "verifier", "browser", "/citizen/", 1)
PEOPLE = 6


@pytest.fixture
async def apart(world: World) -> Any:
    """Opens gateways that share a part of Redis with nobody else."""
    old = world.settings.session_keys["s1"]
    redis_url = SecretStr(world.settings.redis_url.get_secret_value().removesuffix("/0") + "/5")

    @asynccontextmanager
    async def opens(current: str, **keys: SecretStr) -> AsyncIterator[World]:
        changes = {"session_keys": keys, "session_key": current, "redis_url": redis_url}
        async with around(http_port=0, **changes) as opened:
            yield opened

    async with opens("s1", s1=old) as cleaned:
        await cleaned.app.sessions._redis.flushdb()
    return lambda current, *names: opens(current, **{name: {"s1": old, "s2": NEW}[name] for name in names})


async def moved(inside: Browser, world: World, other: World) -> None:
    """The same person's session at another gateway."""
    session = await world.app.sessions.read(CITIZEN, session_id(inside))
    inside.cookies.put(
        "localhost", "__Host-citizen", await other.app.sessions.begin(session, other.app.journal.log_in("127.0.0.1"))
    )


async def keys_in_use(world: World) -> set[str]:
    redis = world.app.sessions._redis
    names = [name async for name in redis.scan_iter("*") if name.startswith((b"session:", b"login:"))]
    return {key_id(await redis.get(name)) for name in names}


async def test_nobody_is_logged_out_while_the_key_changes(world: World, inside: Browser, apart, capsys):
    async with AsyncExitStack() as stack:
        before = await stack.enter_async_context(apart("s1", "s1", "s2"))
        after = await stack.enter_async_context(apart("s2", "s1", "s2"))
        await moved(inside, world, before)
        session = await before.app.sessions.read(CITIZEN, session_id(inside))
        for _ in range(PEOPLE):
            await before.app.sessions.begin(session, before.app.journal.log_in("127.0.0.1"))
        begun = await before.app.sessions.begin_log_in(LOG_IN)
        assert await keys_in_use(before) == {"s1"}
        # one process uses the new key already, the other not yet: a person meets both
        here = await stack.enter_async_context(before.browser(with_cookies_of=inside))
        there = await stack.enter_async_context(after.browser(with_cookies_of=inside))
        statuses: dict[Browser, list[int]] = {here: [], there: []}
        done = asyncio.Event()

        async def work(browser: Browser) -> None:
            while not done.is_set():
                statuses[browser].append((await browser.call("GET", "accounts/v1/me")).status_code)

        async def both_go_on() -> None:
            """Each has an answer to a call that was begun from now on."""
            wanted = {browser: len(answered) + 2 for browser, answered in statuses.items()}

            async def answered() -> bool:
                return all(len(statuses[browser]) >= count for browser, count in wanted.items())

            await until(answered, within=30)

        working = [asyncio.create_task(work(each)) for each in (here, there)]
        try:
            for world_of, browser in ((after, there), (before, here), (after, there)):
                # tokens are renewed under way
                await aged(world_of, browser, left=30)
                await both_go_on()
                # what is renewed at the same moment is left for the next run
                await after.app.sessions.reseal()
                await both_go_on()
        finally:
            done.set()
            await asyncio.gather(*working)
        assert {status for answered in statuses.values() for status in answered} == {200}
        await main.reseal_sessions(gateway_of(after))
        assert capsys.readouterr().out.splitlines()[-1].endswith(" 0 left")
        assert await keys_in_use(after) == {"s2"}
        only = await stack.enter_async_context(apart("s2", "s2"))
        alone = await stack.enter_async_context(only.browser(with_cookies_of=inside))
        assert (await alone.call("GET", "accounts/v1/me")).status_code == 200
        assert await only.app.sessions.take_log_in(begun) == LOG_IN
        # what ends when, has not changed
        kept = await only.app.sessions.read(CITIZEN, session_id(inside))
        assert (kept.began, kept.ends, kept.proven) == (session.began, session.ends, session.proven)


def gateway_of(world: World) -> main.Gateway:
    return world.gateway.app


async def test_a_key_that_was_taken_away_opens_nothing(world: World, inside: Browser, apart, capsys):
    async with apart("s1", "s1") as before, apart("s2", "s2") as after:
        await moved(inside, world, before)
        begun = await before.app.sessions.begin_log_in(LOG_IN)
        async with after.browser(with_cookies_of=inside) as browser:
            assert (await browser.call("GET", "accounts/v1/me")).status_code == 401
            answer = await browser.http.get(f"{after.url}/citizen/auth/callback", params={"state": begun})
            assert (answer.status_code, "LOG_IN_STATE_UNKNOWN" in answer.text) == (422, True)
        # told, and left as it was: who still has the key may use it
        with pytest.raises(SystemExit):
            await main.reseal_sessions(gateway_of(after))
        assert capsys.readouterr().out.endswith("sessions: 0 sealed anew, 1 left\n")
        async with before.browser(with_cookies_of=inside) as browser:
            assert (await browser.call("GET", "accounts/v1/me")).status_code == 200


async def test_a_value_that_was_put_elsewhere_is_not_sealed_anew(world: World, inside: Browser, apart):
    async with apart("s1", "s1", "s2") as before, apart("s2", "s1", "s2") as after:
        session = await world.app.sessions.read(CITIZEN, session_id(inside))
        await before.app.sessions.begin(replace(session, acr=3), before.app.journal.log_in("127.0.0.1"))
        redis = before.app.sessions._redis
        (name,) = [name async for name in redis.scan_iter("session:*")]
        await redis.copy(name, "session:another")
        assert await after.app.sessions.reseal() == (1, 1)


async def test_a_person_stays_in_over_the_change_of_a_whole_house(world: World, apart):
    """Log in, change the key, and go on: by the commands that an operator gives."""
    async with world.browser() as browser:
        await browser.log_in(person("wangfang"))
        async with apart("s1", "s1") as one:
            await moved(browser, world, one)
        async with apart("s1", "s1", "s2") as two, two.browser(with_cookies_of=browser) as here:
            assert (await here.session())["face"] == "citizen"
        async with apart("s2", "s1", "s2") as three, three.browser(with_cookies_of=browser) as here:
            assert (await here.session())["face"] == "citizen"
            assert (await three.app.sessions.reseal()) == (1, 0)
        async with apart("s2", "s2") as four, four.browser(with_cookies_of=browser) as here:
            assert (await here.session())["face"] == "citizen"
