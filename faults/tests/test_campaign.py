"""A short campaign through the whole house; `make faults` is the long one."""

from dataclasses import replace

import pytest
from faults.stories import visit

from faults import campaign


@pytest.mark.timeout(300)
async def test_whatever_is_killed_nothing_is_lost_and_nothing_happens_twice(worked):
    # Keycloak starts too slowly for a test that everybody waits for
    wanted = campaign.at_random(12, 10, 20261121, without=["keycloak"], within=240)
    wanted = replace(wanted, stories=(visit,))
    result = await worked(wanted)
    assert {oracle: found for oracle, found in result.problems.items() if found} == {}
    assert len(result.recoveries) == len(wanted.plan)
