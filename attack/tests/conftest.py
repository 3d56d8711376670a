"""The whole house is up when these tests begin; its people log in once."""

import httpx
import pytest
from attack.settings import Settings
from demo.settings import Settings as DemoSettings

from attack import roles
from demo import loader

# They do all that somebody may, at random: after them nobody's things are where the other tests look for them.
# What facts have set off must have come to an end before a call's effects are looked for: they are told first.
AT_RANDOM = ("test_facts", "test_calls", "test_chains", "test_fuzz")


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: AT_RANDOM.index(item.path.stem) if item.path.stem in AT_RANDOM else -1)


@pytest.fixture(scope="session")
def settings():
    return Settings()


@pytest.fixture(scope="session")
def public_url():
    return DemoSettings().public_url


@pytest.fixture(scope="session")
async def everybody():
    await loader.load(DemoSettings(), told=lambda *_: None)
    async with roles.roles() as people:
        yield people


@pytest.fixture(scope="session")
async def document(public_url):
    async with httpx.AsyncClient(trust_env=False, base_url=public_url) as http:
        return (await http.get("/openapi.json")).json()
