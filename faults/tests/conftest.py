"""The whole house is up when these tests begin; its people log in once."""

from datetime import UTC, datetime

import pytest

from faults import campaign


@pytest.fixture(scope="session")
async def everybody():
    async with campaign.city(at=datetime.now(UTC)) as people:
        yield people


@pytest.fixture
def worked(everybody):
    """A campaign, run and reconciled."""

    async def work(wanted):
        return await campaign.run(wanted, everybody, at=datetime.now(UTC))

    return work
