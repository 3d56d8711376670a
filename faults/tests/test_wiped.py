"""The broker loses everything, or what came last, while filings are under way: all is published again, once."""

import pytest
from faults.chaos import Fault, Kind

from faults import campaign


@pytest.mark.timeout(200)
async def test_a_wiped_broker_costs_nothing(worked):
    plan = [Fault(campaign.ACTS * 2, "nats", Kind.WIPE)]
    result = await worked(campaign.Wanted(4, plan, within=150))
    assert {oracle: found for oracle, found in result.problems.items() if found} == {}


@pytest.mark.timeout(200)
async def test_a_broker_restored_from_an_older_copy_costs_nothing(worked):
    plan = [Fault(campaign.ACTS, "nats", Kind.OLDER, seconds=6)]
    result = await worked(campaign.Wanted(4, plan, within=150))
    assert {oracle: found for oracle, found in result.problems.items() if found} == {}
