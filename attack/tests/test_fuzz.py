"""Some hundreds of cases through every door; `make attack` asks many thousands."""

import pytest
from attack.fuzz import Fuzz
from attack.scan import Needles
from attack.settings import Settings

from attack import traces

SEED = 20261121


@pytest.mark.timeout(240)
async def test_no_door_breaks_and_no_refused_call_has_an_effect(everybody, document, public_url):
    fuzz = Fuzz(document, public_url, SEED, needles=Needles.of(Settings()))
    for role in everybody:
        await fuzz.ask_all(role, each=1, nasty=1)
    async with traces.opened(Settings()) as databases:
        await fuzz.no_traces(databases)
    assert [str(finding) for finding in fuzz.tally.findings] == []
    assert len(fuzz.tally.operations) == len(fuzz.operations)
    assert fuzz.tally.asked > 500
