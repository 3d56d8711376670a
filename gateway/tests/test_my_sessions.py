"""Where am I logged in, and how do I log out there."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime

import pytest
from demo.browser import Browser
from gateway.domain import FACES, Device, coarse, device

from .administration import administrator
from .surroundings import World, person

EDGE = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0"
WECHAT = (
    "Mozilla/5.0 (Linux; Android 14; V2238A) AppleWebKit/537.36 Chrome/130.0 Mobile Safari/537.36 MicroMessenger/8.0"
)
SAFARI = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Safari/604.1"


@asynccontextmanager
async def device_of(world: World, user_agent: str, username: str = "wangfang") -> AsyncIterator[Browser]:
    async with world.browser() as browser:
        browser.http.headers["User-Agent"] = user_agent
        await browser.log_in(person(username))
        yield browser


async def listed(browser: Browser) -> list[dict[str, object]]:
    answer = await browser.http.get(f"{browser.public_url}/citizen/auth/sessions")
    assert answer.status_code == 200
    return answer.json()["items"]


async def end(browser: Browser, what: str, **headers: str):
    sent = {"X-Tongban-CSRF": "1", "Origin": browser.public_url, **headers}
    return await browser.http.post(f"{browser.public_url}/citizen/auth/{what}", headers=sent)


@pytest.fixture(autouse=True)
async def nowhere(world: World) -> None:
    """Nobody is logged in yet."""
    async with administrator("citizen") as admin:
        sub = await admin.user_id("wangfang")
    await world.app.sessions.end_all("citizen", world.app.journal.log_out("elsewhere"), sid=None, sub=sub)


async def test_a_person_sees_where_he_or_she_is_logged_in(world: World):
    async with device_of(world, EDGE) as computer, device_of(world, WECHAT) as phone:
        assert (await computer.call("GET", "accounts/v1/me")).status_code == 200
        mine = await listed(phone)
        assert {(each["browser"], each["system"], each["current"]) for each in mine} == {
            ("edge", "windows", False),
            ("wechat", "android", True),
        }
        for each in mine:
            assert each["network"] == "127.0.0.0/16"
            assert each["began_at"] <= each["last_seen_at"]
            assert each["handle"] not in (computer.cookies.get("__Host-citizen"), phone.cookies.get("__Host-citizen"))
            assert set(each) == {
                "handle", "browser", "system", "network", "acr", "began_at", "last_seen_at", "current",
            }  # fmt: skip


async def test_looking_does_not_keep_the_others_alive(world: World):
    async with device_of(world, EDGE) as computer, device_of(world, SAFARI) as phone:
        before = {each["handle"]: each["last_seen_at"] for each in await listed(computer)}
        here = next(each["handle"] for each in await listed(computer) if each["current"])
        after = {each["handle"]: each["last_seen_at"] for each in await listed(computer)}
        there = next(handle for handle in before if handle != here)
        assert after[here] > before[here]
        assert abs(_seconds(after[there]) - _seconds(before[there])) < 0.1
        assert (await phone.call("GET", "accounts/v1/me")).status_code == 200
        again = {each["handle"]: each["last_seen_at"] for each in await listed(computer)}
        assert again[there] > after[there]


async def test_a_lost_phone_is_logged_out_from_afar(world: World):
    async with device_of(world, EDGE) as computer, device_of(world, SAFARI) as phone:
        lost = next(each for each in await listed(computer) if each["system"] == "ios")
        assert (await end(computer, f"sessions/{lost['handle']}:end")).status_code == 204
        assert (await phone.call("GET", "accounts/v1/me")).status_code == 401
        # Keycloak asks the phone for the password again
        page = await phone.visit("/citizen/auth/login")
        assert "password" in page.text
        assert [each["system"] for each in await listed(computer)] == ["windows"]
        assert (await end(computer, f"sessions/{lost['handle']}:end")).status_code == 404


async def test_all_others_are_logged_out_at_once(world: World):
    async with (
        device_of(world, EDGE) as computer,
        device_of(world, SAFARI) as phone,
        device_of(world, WECHAT) as tablet,
        device_of(world, EDGE, "lijing") as neighbour,
    ):
        answer = await end(computer, "sessions:end-others")
        assert answer.json() == {"ended": 2}
        for each in (phone, tablet):
            assert (await each.call("GET", "accounts/v1/me")).status_code == 401
        for each in (computer, neighbour):
            assert (await each.call("GET", "accounts/v1/me")).status_code == 200
        assert (await end(computer, "sessions:end-others")).json() == {"ended": 0}


async def test_ending_this_one_is_logging_out(world: World):
    async with device_of(world, EDGE) as computer:
        here = (await listed(computer))[0]["handle"]
        assert (await end(computer, f"sessions/{here}:end")).status_code == 204
        assert computer.cookies.get("__Host-citizen") is None


async def test_nobody_ends_the_sessions_of_others(world: World):
    async with device_of(world, EDGE) as computer, device_of(world, EDGE, "lijing") as neighbour:
        handle = (await listed(neighbour))[0]["handle"]
        assert (await end(computer, f"sessions/{handle}:end")).status_code == 404
        assert (await end(computer, "sessions:end-others", **{"X-Tongban-CSRF": "0"})).status_code == 403
        assert (await end(computer, "sessions:end-others", Origin="https://evil.example")).status_code == 403
        assert (await neighbour.call("GET", "accounts/v1/me")).status_code == 200
        # a handle opens nothing
        async with world.http(cookie=f"__Host-citizen={handle}") as thief:
            assert (await thief.get("/citizen/auth/session")).status_code == 401
    async with world.http() as stranger:
        assert (await stranger.get("/citizen/auth/sessions")).status_code == 401


@pytest.mark.parametrize(
    ("user_agent", "told"),
    [
        (EDGE, Device("edge", "windows")),
        (WECHAT, Device("wechat", "android")),
        (SAFARI, Device("safari", "ios")),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 15_0) Gecko/20100101 Firefox/140.0", Device("firefox", "macos")),
        ("curl/8", Device("other", "other")),
        ("", Device("other", "other")),
    ],
)
def test_a_device_is_told_coarsely(user_agent: str, told: Device):
    assert device(user_agent) == told


@pytest.mark.parametrize(
    ("address", "net"),
    [("123.45.67.89", "123.45.0.0/16"), ("2408:8000:1:2::3", "2408:8000::/32"), ("", ""), ("somewhere", "")],
)
def test_an_address_is_told_coarsely(address: str, net: str):
    assert coarse(address) == net


def _seconds(moment: object) -> float:
    return datetime.fromisoformat(str(moment)).timestamp()


async def test_whoever_finds_a_browser_open_shows_nobody_out(world: World):
    async with device_of(world, EDGE) as computer, device_of(world, SAFARI) as phone:
        session_id = computer.cookies.get("__Host-citizen")
        session = await world.app.sessions.read(FACES["citizen"], session_id)
        long_ago = replace(session, proven=session.proven - 901)
        computer.cookies.put(
            "localhost",
            "__Host-citizen",
            await world.app.sessions.begin(long_ago, world.app.journal.log_in("127.0.0.1")),
        )
        handle = next(each["handle"] for each in await listed(phone) if each["current"])
        for what in ("sessions:end-others", f"sessions/{handle}:end"):
            refused = await end(computer, what)
            assert (refused.status_code, refused.json()["reason"]) == (401, "STEP_UP_NEEDED")
            assert 'max_age="900"' in refused.headers["WWW-Authenticate"]
        assert (await phone.call("GET", "accounts/v1/me")).status_code == 200
