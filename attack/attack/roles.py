"""Who knocks: a citizen, one who acts for a legal person, officers of two departments and two districts, and the
administrator, each with a session at their own face."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from demo.browser import Browser
from demo.people import logged_in
from demo.settings import Settings

from demo import city

CITIZEN, AGENT, ADMIN = "citizen", "agent", "admin"
USERNAMES = {
    CITIZEN: "lijing",
    AGENT: "wangfang",
    "police": "police",
    "civil": "civil",
    "zichuan": "zichuan",
    ADMIN: "admin",
}


@dataclass(frozen=True)
class Role:
    """A person's browser, and what it sends along."""

    name: str
    browser: Browser
    headers: dict[str, str] = field(default_factory=dict)


@asynccontextmanager
async def roles() -> AsyncIterator[list[Role]]:
    """Everybody, logged in."""
    settings = Settings()
    async with AsyncExitStack() as stack:
        found = []
        for name, username in USERNAMES.items():
            browser = await stack.enter_async_context(logged_in(settings, username))
            headers = {"X-Post": browser.post_id} if browser.post_id else {}
            if name == AGENT:
                headers["X-On-Behalf"] = str(city.legal_persons()[0]["legal_person_id"])
            found.append(Role(name, browser, headers))
        yield found
