"""Every route of the merged OpenAPI, asked by people it is not for, through the gateway."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
from demo.browser import Browser
from demo.people import Cast, logged_in
from demo.settings import Settings

FORGED = {"Authorization": "Bearer x.y.z"}
NOBODYS = "00000000-0000-7000-8000-00000000ffff"


async def routes(settings: Settings) -> list[tuple[str, str, dict[str, Any]]]:
    """Method, path below a face's or the apps' `/api/`, and the declared permission of every service route."""
    async with httpx.AsyncClient(base_url=settings.public_url, trust_env=False) as http:
        document = (await http.get("/openapi.json")).json()
    found = [
        (method.upper(), path.removeprefix("/api/"), operation["x-permission"])
        for path, operations in document["paths"].items()
        if path.startswith("/api/")
        for method, operation in operations.items()
    ]
    assert len(found) > 30
    return found


def filled(path: str) -> str:
    """A path with its parameters filled in."""
    return "/".join(part if "{" not in part else NOBODYS + part[part.index("}") + 1 :] for part in path.split("/"))


async def unhurried(ask: Callable[[], Awaitable[httpx.Response]]) -> httpx.Response:
    """Ask again when we were too fast for the rate limit."""
    while True:
        answer = await ask()
        if answer.status_code != 429:
            return answer
        await asyncio.sleep(float(answer.headers["Retry-After"]))


async def asked(person: Browser, method: str, path: str) -> httpx.Response:
    body = {} if method != "GET" else None
    return await unhurried(lambda: person.call(method, filled(path), body, purpose="测试"))


async def test_anonymous_callers_get_nothing(settings: Settings) -> None:
    async with Browser(settings.public_url, "citizen") as citizen, Browser(settings.public_url, "workbench") as officer:
        for method, path, _ in await routes(settings):
            for nobody in (citizen, officer):
                answer = await asked(nobody, method, path)
                assert answer.status_code == 401, (method, path, answer.text)
                assert answer.json()["login_url"].startswith(f"/{nobody.face}/auth/login")
            url = f"{settings.public_url}/api/{filled(path)}"
            answer = await unhurried(lambda m=method, u=url: citizen.http.request(m, u, headers=FORGED))
            assert answer.status_code == 401, (method, path, answer.text)


async def test_nobody_walks_through_the_other_realms_doors(people: Cast, settings: Settings) -> None:
    police = people.officers["police"]
    async with logged_in(settings, "wangfang") as citizen:
        for method, path, permission in await routes(settings):
            for person, kind in ((citizen, "citizen"), (police, "officer")):
                answer = await asked(person, method, path)
                if kind not in permission["callers"]:
                    assert answer.status_code == 403, (kind, method, path, answer.text)
                assert answer.status_code < 500, (kind, method, path, answer.text)
