"""What a session opens, who may use it, and how its tokens stay fresh."""

import asyncio
import time
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from common import process
from demo.browser import Browser
from gateway.domain import FACES
from gateway.sessions import Tokens, digest

from .surroundings import World, around, person, until

CITIZEN = FACES["citizen"]
TOKEN_REQUEST = b"POST /realms/citizen/protocol/openid-connect/token"


def session_id(browser: Browser) -> str:
    return browser.cookies.get("__Host-citizen") or ""


async def aged(world: World, browser: Browser, *, left: float, refresh: str | None = None, **changes: Any) -> Any:
    """Make the session's token as good as expired."""
    sessions = world.app.sessions
    session = await sessions.read(CITIZEN, session_id(browser))
    tokens = Tokens(session.tokens.access, process.now().timestamp() + left, refresh or session.tokens.refresh)
    await sessions.renew(session_id(browser), replace(session, **changes), tokens)
    return session


async def test_a_session_opens_the_services_with_the_persons_token(inside: Browser):
    said = await inside.get("accounts/v1/me")
    headers = {name.lower(): value for name, value in said["headers"]}
    assert headers["authorization"].startswith("Bearer eyJ")
    assert "cookie" not in headers
    assert said["target"] == "/v1/me"


async def test_without_a_session_one_is_told_where_to_log_in(world: World):
    async with world.http(accept="text/html") as stranger:
        for path in ("/citizen/api/accounts/v1/me", "/citizen/auth/session"):
            answer = await stranger.get(path)
            assert answer.status_code == 401
            assert answer.headers["Content-Type"] == "application/problem+json"
            assert answer.json()["reason"] == "SESSION_MISSING"
            assert answer.json()["login_url"] == "/citizen/auth/login"
            assert answer.json()["trace_id"]


@pytest.mark.parametrize("value", ["", "x", "x" * 43, "../../x", "x" * 4000])
async def test_a_cookie_of_nobody_opens_nothing(world: World, value: str):
    async with world.http(cookie=f"a=b; __Host-citizen={value}") as stranger:
        assert (await stranger.get("/citizen/api/accounts/v1/me")).status_code == 401


async def test_a_session_of_one_face_is_none_at_the_other(world: World, inside: Browser):
    inside.cookies.put("localhost", "__Host-workbench", session_id(inside))
    answer = await inside.http.get(f"{world.url}/workbench/api/accounts/v1/me")
    assert answer.status_code == 401


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 403),
        ({"X-Tongban-CSRF": "1"}, 403),
        ({"Origin": "OURS"}, 403),
        ({"X-Tongban-CSRF": "0", "Origin": "OURS"}, 403),
        ({"X-Tongban-CSRF": "1", "Origin": "null"}, 403),
        ({"X-Tongban-CSRF": "1", "Origin": "https://evil.example"}, 403),
        ({"X-Tongban-CSRF": "1", "Origin": "https://evil.example", "Sec-Fetch-Site": "same-origin"}, 403),
        ({"X-Tongban-CSRF": "1", "Sec-Fetch-Site": "same-site"}, 403),
        ({"X-Tongban-CSRF": "1", "Sec-Fetch-Site": "cross-site"}, 403),
        ({"X-Tongban-CSRF": "1", "Origin": "OURS"}, 200),
        ({"X-Tongban-CSRF": "1", "Sec-Fetch-Site": "same-origin"}, 200),
    ],
)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_a_change_must_come_from_our_own_pages(
    world: World, logged_in: Browser, headers: dict[str, str], status: int, method: str
):
    sent = {name: world.url if value == "OURS" else value for name, value in headers.items()}
    url = f"{world.url}/citizen/api/accounts/v1/things"
    answer = await logged_in.http.request(method, url, headers=sent)
    assert answer.status_code == status


@pytest.fixture(scope="module")
async def logged_in(world: World):
    async with world.browser() as browser:
        await browser.log_in(person("zhangwei"))
        yield browser


async def test_a_token_near_its_end_is_renewed_before_it_is_forwarded(world: World, inside: Browser):
    old = await aged(world, inside, left=30)
    said = await inside.get("accounts/v1/me")
    token = next(value for name, value in said["headers"] if name.lower() == "authorization")
    assert token.startswith("Bearer ")
    assert old.tokens.access not in token


@pytest.mark.parametrize("left", [30, -10])
async def test_many_calls_at_once_renew_once(world: World, inside: Browser, left: float):
    await aged(world, inside, left=left)
    before = world.keycloak.sent.count(TOKEN_REQUEST)
    answers = await asyncio.gather(*(inside.call("GET", "accounts/v1/me") for _ in range(30)))
    assert {each.status_code for each in answers} == {200}
    assert world.keycloak.sent.count(TOKEN_REQUEST) - before == 1


async def test_a_caller_who_leaves_does_not_break_the_renewal(world: World, inside: Browser):
    old = await aged(world, inside, left=-10)
    call = asyncio.create_task(inside.call("GET", "accounts/v1/me"))
    before = world.keycloak.sent.count(TOKEN_REQUEST)
    async with asyncio.timeout(10):
        while world.keycloak.sent.count(TOKEN_REQUEST) == before:  # noqa: ASYNC110 - to leave at the worst moment
            await asyncio.sleep(0)
    call.cancel()
    await asyncio.gather(call, return_exceptions=True)
    assert (await inside.call("GET", "accounts/v1/me")).status_code == 200
    now = await world.app.sessions.read(CITIZEN, session_id(inside))
    assert now.tokens.refresh != old.tokens.refresh


async def test_a_log_in_that_keycloak_has_forgotten_ends_the_session(world: World, inside: Browser):
    session = await aged(world, inside, left=-10)
    await world.app.keycloak.end("citizen", session.tokens.refresh)
    answer = await inside.call("GET", "accounts/v1/me")
    assert answer.status_code == 401
    assert await world.app.sessions.read(CITIZEN, session_id(inside)) is None


async def test_while_keycloak_is_away_good_tokens_go_on_and_sessions_stay(world: World, inside: Browser):
    assert (await inside.call("GET", "accounts/v1/me")).status_code == 200
    await world.keycloak.cut()
    try:
        assert (await inside.call("GET", "accounts/v1/me")).status_code == 200
        await aged(world, inside, left=30)
        assert (await inside.call("GET", "accounts/v1/me")).status_code == 200
        await aged(world, inside, left=-10)
        began = time.monotonic()
        answers = await asyncio.gather(*(inside.call("GET", "accounts/v1/me") for _ in range(10)))
        assert {each.status_code for each in answers} == {503}
        assert {each.json()["reason"] for each in answers} == {"KEYCLOAK_AWAY"}
        assert answers[0].headers["Retry-After"]
        assert time.monotonic() - began < 5
        page = await inside.http.get(f"{world.url}/citizen/auth/callback?state=x")
        assert page.status_code == 422
    finally:
        await world.keycloak.mend()

    async def back() -> bool:
        return (await inside.call("GET", "accounts/v1/me")).status_code == 200

    await until(back)
    assert (await inside.session())["face"] == "citizen"


async def test_while_redis_is_away_cookies_fail_closed_and_bearers_go_on(
    world: World, inside: Browser, service_token: str
):
    await world.redis.cut()
    try:
        answer = await inside.call("GET", "accounts/v1/me")
        assert (answer.status_code, answer.json()["reason"]) == (503, "SESSIONS_AWAY")
        login = await inside.http.get(f"{world.url}/citizen/auth/login")
        assert login.status_code == 503
        async with world.http(authorization=f"Bearer {service_token}") as app:
            answer = await app.get("/api/accounts/v1/me")
            assert answer.status_code == 200
            assert answer.headers["RateLimit-Limit"] == "400"
        async with world.http() as stranger:
            assert (await stranger.get("/healthz")).status_code == 200
            assert (await stranger.get("/readyz")).status_code == 200
    finally:
        await world.redis.mend()
    assert (await inside.call("GET", "accounts/v1/me")).status_code == 200


async def test_a_session_ends_when_it_is_idle(inside: Browser):
    async with around(http_port=0, idle=timedelta(minutes=1)) as other, other.browser(with_cookies_of=inside) as there:
        redis, key = other.app.sessions._redis, f"session:{digest(session_id(inside))}"
        for _ in range(2):
            assert (await there.call("GET", "accounts/v1/me")).status_code == 200
            assert 50 < await redis.ttl(key) <= 60
            await redis.expire(key, 20)
        await redis.pexpire(key, 1)

        async def idle() -> bool:
            return not await redis.exists(key)

        await until(idle)
        assert (await there.call("GET", "accounts/v1/me")).status_code == 401
        assert (await inside.call("GET", "accounts/v1/me")).status_code == 401


async def test_a_session_ends_at_its_absolute_limit(world: World, inside: Browser):
    await aged(world, inside, left=300, ends=process.now().timestamp() - 1)
    assert (await inside.call("GET", "accounts/v1/me")).status_code == 401
    assert await world.app.sessions._redis.exists(f"session:{digest(session_id(inside))}") == 0


async def test_what_redis_holds_is_sealed_and_not_found_by_the_cookie(world: World, inside: Browser):
    redis = world.app.sessions._redis
    keys = await redis.keys("*")
    assert not any(session_id(inside).encode() in key for key in keys)
    held = await redis.get(f"session:{digest(session_id(inside))}")
    assert b"eyJ" not in held
    assert b"00000000-0000-7000-8000-000000000201" not in held


async def test_a_session_of_another_release_is_none(world: World, inside: Browser):
    sessions = world.app.sessions
    hashed = digest(session_id(inside))
    sealed = sessions._keys.seal(b'{"face": "citizen", "realm": "citizen"}', bound=f"session:{hashed}")
    await sessions._redis.set(f"session:{hashed}", sealed)
    assert (await inside.call("GET", "accounts/v1/me")).status_code == 401


async def forget_calls(world: World) -> None:
    redis = world.app.sessions._redis
    for key in await redis.keys("limit:*"):
        await redis.delete(key)


async def test_a_person_has_a_limited_number_of_calls(inside: Browser):
    async with (
        around(http_port=0, person_rate=0.1, person_burst=5) as one,
        around(http_port=0, person_rate=0.1, person_burst=5) as two,
        one.browser(with_cookies_of=inside) as here,
        two.browser(with_cookies_of=inside) as there,
    ):
        await forget_calls(one)
        # two processes count together
        answers = [await each.call("GET", "accounts/v1/me") for each in (here, there, here, there, here, here, there)]
        assert [each.status_code for each in answers] == [200] * 5 + [429] * 2
        assert [each.headers["RateLimit-Remaining"] for each in answers[:5]] == ["4", "3", "2", "1", "0"]
        assert {each.headers["RateLimit-Limit"] for each in answers[:5]} == {"5"}
        assert answers[6].json()["reason"] == "TOO_MANY_CALLS"
        assert 1 <= int(answers[6].headers["Retry-After"]) <= 10
        await forget_calls(one)


async def test_a_stranger_has_a_limited_number_of_calls(service_token: str):
    async with around(http_port=0, anonymous_rate=0.1, anonymous_burst=4) as other, other.http() as stranger:
        await forget_calls(other)
        answers = [await stranger.get("/citizen/auth/session") for _ in range(6)]
        assert [each.status_code for each in answers] == [401] * 4 + [429] * 2
        # limited is the stranger, not who has a token
        answer = await stranger.get("/api/accounts/v1/me", headers={"Authorization": f"Bearer {service_token}"})
        assert answer.status_code == 200
        await forget_calls(other)


async def test_without_redis_a_service_is_limited_by_each_process_alone(service_token: str):
    async with around(http_port=0, service_rate=0.1, service_burst=3) as other:
        await other.redis.cut()
        async with other.http(authorization=f"Bearer {service_token}") as app:
            answers = [await app.get("/api/accounts/v1/me") for _ in range(5)]
        assert [each.status_code for each in answers] == [200] * 3 + [429] * 2
