"""Some thousands of gRPC calls past the gateway; `make attack` asks many more."""

import pytest
from attack.calls import Calls, acquainted
from attack.settings import Settings

from attack import callers, traces

SEED = 20261121


@pytest.fixture
async def calls():
    made = Calls(Settings().grpc, acquainted(SEED), SEED)
    yield made
    await made.close()


@pytest.mark.timeout(240)
async def test_no_call_breaks_a_service_and_no_refused_one_has_an_effect(everybody, calls):
    assert everybody, "the people's accounts are there"
    settings = Settings()
    async with traces.opened(settings) as databases:
        began = await traces.began(settings.ports)
        for caller in await callers.everybody(settings):
            await calls.ask_all(caller, each=2, nasty=2, huge=caller.name in callers.LARGE)
        assert [str(finding) for finding in calls.tally.findings] == []
        assert await traces.left_by(databases, calls.tally.refused) == []
        assert await traces.began(settings.ports) == began, "a service was started anew"
    assert len(calls.tally.operations) == len(calls.methods)
    assert calls.tally.asked > 2_000
    # what nobody may do is no test of those who may
    assert len(calls.tally.done) >= 12
