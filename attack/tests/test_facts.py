"""Facts that never were, of every kind, to everybody who listens; `make attack` tells many more."""

import pytest
from attack.facts import Liar

from attack import telling, traces

SEED = 20261121
WITHIN = 60.0


@pytest.mark.timeout(240)
async def test_every_fact_comes_to_an_end_and_touches_nobody_elses_things(settings, everybody):
    assert everybody, "the city's things are there to be touched"
    liar = Liar(SEED)
    told = [fact for kind in liar.kinds for fact in liar.facts(kind, drawn=2, nasty=1)]
    async with traces.opened(settings) as databases:
        began = await traces.began(settings.ports)
        outcome = await telling.tell(databases, settings, told, within=WITHIN)
        await telling.forget(databases)
        assert await traces.began(settings.ports) == began, "a service was started anew"
    assert outcome.findings == []
    assert outcome.told > 2_000
    assert outcome.ends["UNREADABLE"] > 500
