"""A short campaign through the whole house; `make faults` is the long one."""

from datetime import UTC, datetime

import pytest

from faults import campaign, chaos

# Keycloak takes too long to start for a test that everybody waits for
VICTIMS = tuple(name for name in chaos.VICTIMS if name != "keycloak")


@pytest.mark.timeout(300)
async def test_whatever_is_killed_nothing_is_lost_and_nothing_happens_twice():
    wanted = campaign.Wanted(filings=20, faults=12, seed=20261121, victims=VICTIMS, within=240)
    result = await campaign.run(wanted, at=datetime.now(UTC))
    assert {oracle: found for oracle, found in result.problems.items() if found} == {}
    assert len(result.recoveries) == wanted.faults
