"""Redis and Keycloak themselves freeze and die: what can go on without them goes on, and nobody is logged out by it."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from demo.browser import Browser

from tools.runner.control import Control

from .surroundings import World, person, until
from .test_sessions import aged

ME = "accounts/v1/me"


@asynccontextmanager
async def frozen(server: str) -> AsyncIterator[None]:
    """Its process stands still: connections are taken, nothing is answered."""
    control = Control.from_environment()
    await control.kill(server, "STOP")
    try:
        yield
    finally:
        await control.kill(server, "CONT")


@asynccontextmanager
async def dead(server: str) -> AsyncIterator[None]:
    """Its process is killed; the runner starts another one."""
    control = Control.from_environment()
    await control.kill(server, "KILL")
    try:
        yield
    finally:
        await control.wait_ready(server, 100)


async def asked(browser: Browser) -> tuple[int, str]:
    answer = await browser.call("GET", ME)
    return answer.status_code, answer.json().get("reason", "")


async def lets_in(browser: Browser) -> None:
    """Until then it is told to wait; nobody is logged out."""
    statuses = []

    async def inside() -> bool:
        statuses.append((await asked(browser))[0])
        return statuses[-1] == 200

    await until(inside, within=40)
    assert set(statuses[:-1]) <= {503}


async def test_redis_stands_still(world: World, inside: Browser, service_token: str):
    assert await asked(inside) == (200, "")
    async with frozen("redis"):
        began = time.monotonic()
        answers = await asyncio.gather(*(asked(inside) for _ in range(5)))
        assert set(answers) == {(503, "SESSIONS_AWAY")}
        # nobody is let wait for long
        assert time.monotonic() - began < 10
        page = await inside.http.get(f"{world.url}/citizen/auth/login")
        assert (page.status_code, "SESSIONS_AWAY" in page.text) == (503, True)
        async with world.http(authorization=f"Bearer {service_token}") as app:
            assert (await app.get(f"/api/{ME}")).status_code == 200
    await lets_in(inside)


async def test_redis_dies_and_comes_back_with_everybody_s_session(world: World, inside: Browser, service_token: str):
    async with dead("redis"):
        assert (await asked(inside))[0] in (200, 503)
        async with world.http(authorization=f"Bearer {service_token}") as app:
            assert (await app.get(f"/api/{ME}")).status_code == 200
    await lets_in(inside)
    async with world.browser() as newcomer:
        await newcomer.log_in(person("wangfang"))
        assert await asked(newcomer) == (200, "")


async def test_keycloak_stands_still(world: World, inside: Browser):
    assert await asked(inside) == (200, "")
    async with world.browser() as newcomer:
        way = await newcomer.http.get(f"{world.url}/citizen/auth/login")
        async with frozen("keycloak"):
            # who is inside stays inside, as long as the token is good for anything
            assert await asked(inside) == (200, "")
            await aged(world, inside, left=-10)
            # whoever tries again and again spends nothing by it
            for _ in range(2):
                answers = await asyncio.gather(*(asked(inside) for _ in range(10)))
                assert set(answers) == {(503, "KEYCLOAK_AWAY")}
            state = way.headers["Location"].partition("state=")[2].partition("&")[0]
            back = {"state": state, "code": "a-code", "iss": world.app.keycloak.issuer("citizen")}
            page = await newcomer.http.get(f"{world.url}/citizen/auth/callback", params=back)
            assert (page.status_code, "KEYCLOAK_AWAY" in page.text) == (503, True)
        await lets_in(inside)
        await newcomer.log_in(person("wangfang"))
        assert await asked(newcomer) == (200, "")


async def test_keycloak_dies_and_everybody_is_still_logged_in(world: World, inside: Browser):
    assert await asked(inside) == (200, "")
    async with dead("keycloak"):
        assert await asked(inside) == (200, "")
        await aged(world, inside, left=-10)
        assert await asked(inside) == (503, "KEYCLOAK_AWAY")
        assert (await inside.http.get(f"{world.url}/citizen/auth/login")).status_code == 302
    # with a token that was renewed by the new process
    await lets_in(inside)
