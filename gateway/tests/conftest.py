"""The gateway between a real Keycloak, a real Redis, a real PostgreSQL, and small services of our own."""

from collections.abc import AsyncIterator

import aiohttp
import demo.settings
import pytest
from common import telemetry
from demo.browser import Browser

from .surroundings import World, around, person, run


@pytest.fixture(scope="session", autouse=True)
async def prepared() -> None:
    """The realms as the house wants them, and the gateway's own database; lines as a process writes them."""
    telemetry.setup("gateway")
    await run("accounts.main", "reconcile")
    await run("gateway.main", "migrate")


@pytest.fixture(scope="session")
async def world() -> AsyncIterator[World]:
    async with around() as made:
        yield made


@pytest.fixture
async def inside(world: World) -> AsyncIterator[Browser]:
    """A citizen who is logged in."""
    async with world.browser() as browser:
        await browser.log_in(person("lijing"))
        yield browser


@pytest.fixture(scope="session")
async def service_token() -> str:
    """The demo loader's own token: a department's app would have one like it."""
    known = demo.settings.Settings()  # type: ignore[call-arg]
    form = {
        "grant_type": "client_credentials",
        "client_id": "demo-loader",
        "client_secret": known.client_secret,
    }
    url = f"{known.keycloak_url}/realms/gov/protocol/openid-connect/token"
    async with aiohttp.ClientSession() as http, http.post(url, data=form) as answer:
        return (await answer.json())["access_token"]
