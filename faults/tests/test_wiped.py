"""The broker loses everything while filings are under way: all is published again, and nothing happens twice."""

import pytest
from faults.chaos import Fault, Kind

from faults import campaign


@pytest.mark.timeout(200)
async def test_a_wiped_broker_costs_nothing(worked):
    plan = [Fault(campaign.ACTS * 2, "nats", Kind.WIPE)]
    result = await worked(campaign.Wanted(4, plan, within=150))
    assert {oracle: found for oracle, found in result.problems.items() if found} == {}
