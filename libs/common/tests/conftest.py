import sys
from pathlib import Path

import pytest

# The invented service lies beside the tests.
sys.path.insert(0, str(Path(__file__).parent))

pytest_plugins = ["common.testing"]


@pytest.fixture
async def living(open_house, issuer):
    import tickets  # noqa: PLC0415 - only once the tests' folder is on the path

    return await open_house(tickets.opened, tickets.house, tickets.Settings(keycloak_url=issuer.url))


@pytest.fixture
def officer(issuer):
    return issuer.token("gov", employee_id="e1", aud="tickets", acr=2)


@pytest.fixture
def citizen(issuer):
    return issuer.token("citizen", person_id="p1", aud="tickets")
