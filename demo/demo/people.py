"""The demo's people, logged in as themselves: one browser each."""

import base64
import hashlib
import hmac
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from demo import city
from demo.browser import Browser, Credentials
from demo.settings import Settings

# the departments whose officers decide the newborn's cases; those of two others are decided by their own systems
OFFICERS = ("health", "police", "insurance")


@dataclass(frozen=True)
class Cast:
    """Who plays in the newborn's story."""

    mother: Browser
    father: Browser
    officers: dict[str, Browser]


def one_time_seed(settings: Settings, username: str) -> str:
    """A person's own seed (base32), derived so that a command can print codes without a store of seeds."""
    digest = hmac.digest(settings.totp_seed.encode(), username.encode(), hashlib.sha256)
    return base64.b32encode(digest[:20]).decode()


def credentials(settings: Settings, username: str) -> Credentials:
    seed = one_time_seed(settings, username)
    for person in city.citizens():
        if person["username"] == username:
            return Credentials(username, settings.citizen_password, seed if person.get("one_time_code") else None)
    return Credentials(username, settings.officer_password, seed)


@asynccontextmanager
async def logged_in(settings: Settings, username: str) -> AsyncIterator[Browser]:
    """The named person's browser with a session of its own."""
    officer = next((person for person in city.employees() if person["username"] == username), None)
    face, post_id = ("workbench", officer["post_id"]) if officer else ("citizen", None)
    browser = Browser(settings.public_url, face, post_id=post_id)
    async with browser:
        await browser.log_in(credentials(settings, username))
        yield browser


@asynccontextmanager
async def cast(settings: Settings) -> AsyncIterator[Cast]:
    """Everybody of the newborn's story."""
    async with AsyncExitStack() as stack:
        mother = await stack.enter_async_context(logged_in(settings, "lijing"))
        father = await stack.enter_async_context(logged_in(settings, "zhangwei"))
        officers = {name: await stack.enter_async_context(logged_in(settings, name)) for name in OFFICERS}
        yield Cast(mother, father, officers)


class Sessions:
    """The sessions of whoever is asked for, each logged in when first needed."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stack = AsyncExitStack()
        self._open: dict[str, Browser] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def of(self, username: str) -> Browser:
        if username not in self._open:
            self._open[username] = await self._stack.enter_async_context(logged_in(self._settings, username))
        return self._open[username]
