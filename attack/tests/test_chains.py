"""Some hundreds of calls, each on what the ones before have brought; `make attack` follows many thousands."""

import pytest
from attack.fuzz import Fuzz
from attack.roles import CITIZEN
from attack.scan import Needles
from attack.settings import Settings

from attack import chains, traces

SEED = 20261121
WHO = (CITIZEN, "police")


@pytest.mark.timeout(240)
async def test_no_chain_of_calls_breaks_a_door_or_leaves_half_an_effect(everybody, document, public_url):
    fuzz = Fuzz(document, public_url, SEED, needles=Needles.of(Settings()))
    for role in everybody:
        if role.name in WHO:
            await chains.follow(fuzz, role, document, calls=100, seed=SEED)
    async with traces.opened(Settings()) as databases:
        await fuzz.no_traces(databases)
    assert [str(finding) for finding in fuzz.tally.findings] == []
    assert fuzz.tally.asked >= 200
    assert sum(count for status, count in fuzz.tally.statuses.items() if status < 300) > 30
