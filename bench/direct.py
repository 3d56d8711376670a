"""A logged-in person's own access token, to knock at a service's door without the gateway."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import aiohttp
from common import process
from demo.browser import Browser
from gateway.domain import FACES
from gateway.settings import Settings
from uuid_utils.compat import uuid7

from gateway import main as gateway


async def token_of(browser: Browser) -> str:
    """What the gateway keeps for the session of this browser."""
    face = FACES[browser.face]
    kept = next(value for (_, _, name), value in browser.cookies._kept.items() if name == face.cookie)  # noqa: SLF001
    async with gateway.opened(Settings(), clock=process.now, ids=uuid7) as opened:
        session = await opened.app.sessions.read(face, kept)
    if session is None:
        raise RuntimeError("no session")
    return session.tokens.access


def cookie_of(browser: Browser) -> str:
    return "; ".join(f"{name}={value}" for (_, _, name), value in browser.cookies._kept.items() if "__Host-" in name)  # noqa: SLF001


@dataclass(frozen=True, slots=True)
class Target:
    """What is asked for again and again."""

    url: str
    headers: Mapping[str, str]


@dataclass(slots=True)
class Answers:
    """How long each call took, and all of them; too busy (503) is an answer that is told, any other refusal ends it."""

    took: list[float] = field(default_factory=list)
    seconds: float = 0.0
    busy: int = 0


async def ask(target: Target, *, users: int, calls: int) -> Answers:
    """So many calls by so many users at once."""
    answers = Answers()
    left = iter(range(calls))
    connector = aiohttp.TCPConnector(limit=users)
    async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as http:

        async def user() -> None:
            for _ in left:
                begun = time.perf_counter()
                async with http.get(target.url, headers=target.headers) as answer:
                    body = await answer.read()
                    if answer.status == 503:
                        answers.busy += 1
                    elif answer.status != 200:
                        raise RuntimeError(f"{target.url}: {answer.status} {body[:300]!r}")
                answers.took.append(time.perf_counter() - begun)

        begun = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            for _ in range(users):
                group.create_task(user())
        answers.seconds = time.perf_counter() - begun
        return answers


def service_url(environment: Mapping[str, str], service: str) -> str:
    return f"http://127.0.0.1:{environment[f'{service.upper()}_HTTP_PORT']}"
