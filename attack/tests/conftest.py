"""The whole house is up when these tests begin; its people log in once."""

import httpx
import pytest
from attack.settings import Settings
from demo.settings import Settings as DemoSettings

from attack import roles
from demo import loader

# They do all that somebody may, at random: after them nobody's things are where the other tests look for them.
AT_RANDOM = frozenset({"test_calls", "test_chains", "test_facts", "test_fuzz"})


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: item.path.stem in AT_RANDOM)


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
