"""The whole house is up when these stories begin: `make test` started it, with an empty database."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from demo.people import Cast, cast
from demo.settings import Settings

from demo import loader, newborn


@pytest.fixture(scope="session")
def settings() -> Settings:
    return Settings()


@pytest.fixture(scope="session")
async def people(settings: Settings) -> AsyncIterator[Cast]:
    """The loaded city, and the people of the newborn's story, each logged in once."""
    await loader.load(settings, told=lambda *_: None)
    async with cast(settings) as everybody:
        yield everybody


@pytest.fixture
async def consent(people: Cast) -> newborn.JSON:
    """The father has allowed the mother to use his identity card."""
    return await newborn.grant(people.father, at=datetime.now(UTC))
