"""A service dies right before or after something leaves a trace: some of the points; `make faults` goes through all."""

import pytest
from faults.chaos import Fault, Kind

from faults import campaign

POINTS = (
    ("orchestration", "after commit orchestration.submit_filing"),
    ("verification", "after commit verification.issue_licence"),
    ("workbench", "before ack workbench-open_todo"),
    ("gateway", "after call POST orchestration"),
    ("department", "after save insert into cases"),
)


@pytest.mark.timeout(200)
async def test_wherever_a_service_dies_nothing_is_lost_and_nothing_happens_twice(worked):
    plan = [Fault(0, name, Kind.CRASH, point=point) for name, point in POINTS]
    result = await worked(campaign.Wanted(2, plan, within=150, at_once=2, until_broken=True))
    assert {oracle: found for oracle, found in result.problems.items() if found} == {}
