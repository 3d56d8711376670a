"""What a person sees in a browser where there is nothing to see; programs read problems, as ever."""

import pytest

from .surroundings import World, around
from .test_sessions import forget_calls

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.mark.parametrize(
    "path", ["/nothing", "/citizen/auth/nothing", "/workbench/auth/x", "/favicon.ico", "/apis", "/a%2fb"]
)
async def test_an_unknown_address_is_a_page_that_leads_on(world: World, path: str):
    async with world.http(accept=BROWSER) as person:
        page = await person.get(path)
    assert page.status_code == 404
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert '<html lang="zh-CN">' in page.text
    assert 'name="viewport"' in page.text
    assert 'href="/citizen/"' in page.text
    assert 'href="/workbench/"' in page.text
    assert "NO_SUCH_PATH" in page.text
    # it may load its style, and nothing else
    assert page.headers.get_list("Content-Security-Policy") == [(await armour(world))]
    assert path not in page.text


async def armour(world: World) -> str:
    async with world.http() as anybody:
        return (await anybody.get("/citizen/")).headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("method", "path", "accept"),
    [
        ("GET", "/nothing", "application/json"),
        ("GET", "/nothing", "*/*"),
        ("POST", "/nothing", BROWSER),
        ("GET", "/api/nobody/v1/me", BROWSER),
        ("GET", "/api", BROWSER),
        ("GET", "/api/accounts/v1/me", BROWSER),
        ("GET", "/citizen/api/nobody/v1/me", BROWSER),
    ],
)
async def test_a_program_reads_a_problem(world: World, method: str, path: str, accept: str):
    async with world.http(accept=accept) as program:
        answer = await program.request(method, path)
    assert answer.status_code in (401, 404)
    assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("path", ["/nothing", "/citizen/auth/login"])
async def test_whoever_opens_too_many_addresses_is_told_to_wait(path: str):
    async with (
        around(http_port=0, anonymous_rate=0.1, anonymous_burst=1) as other,
        other.http(accept=BROWSER) as person,
    ):
        await forget_calls(other)
        assert (await person.get("/nothing")).status_code == 404
        page = await person.get(path)
        assert page.status_code == 429
        assert page.headers["Content-Type"] == "text/html; charset=utf-8"
        assert page.headers["Retry-After"]
        assert "请稍后再试" in page.text
        await forget_calls(other)
