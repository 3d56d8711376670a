"""A service dies right before or after something leaves a trace: some of the points; `make faults` goes through all."""

import pytest
from faults.chaos import Fault, Kind

from faults import campaign

POINTS = (
    ("orchestration", "after commit orchestration.submit_filing"),
    ("verification", "after commit verification.issue_licence"),
    ("workbench", "before ack workbench-open_todo"),
    ("orchestration", "after publish CaseReady"),
    ("orchestration", "before answer receive_callback"),
)


@pytest.mark.timeout(200)
async def test_wherever_a_service_dies_nothing_is_lost_and_nothing_happens_twice(worked):
    plan = [Fault(8 * place, name, Kind.CRASH, point=point) for place, (name, point) in enumerate(POINTS)]
    result = await worked(campaign.Wanted(4, plan, within=150, at_once=4, until_broken=True))
    assert {oracle: found for oracle, found in result.problems.items() if found} == {}
