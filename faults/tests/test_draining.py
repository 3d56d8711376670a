"""A release under load: each service is told to go (SIGTERM) and started again, one after the other."""

import pytest
from faults.chaos import Fault, Kind
from faults.settings import Settings

from faults import campaign, reconciling, records

SERVICES = ("accounts", "verification", "orchestration", "workbench")
FILINGS = 5
FEW = 20
# refusals that say "again in a moment": the people's browsers ask with the same key and nothing happens twice
AGAIN = ("503 PEER_UNAVAILABLE", "503 SERVICE_AWAY")


async def delivered_again(held):
    """How often the broker has delivered what had been delivered before, over all consumers."""
    again = 0
    for _, consumer in await records.consumers(Settings().tongban_nats_monitor_url):
        listener = consumer["name"].partition("-")[0]
        query = "select count(*) from inbox where consumer = $1"
        handled = await held[listener].fetchval(query, consumer["name"]) if listener in held else 0
        again += max(0, consumer["delivered"]["consumer_seq"] - handled)
    return again


@pytest.mark.timeout(200)
async def test_a_restart_of_each_service_fails_no_request_and_starts_no_storm(worked):
    async with reconciling.opened(Settings()) as held:
        before = await delivered_again(held)
        step = campaign.ACTS * FILINGS // (len(SERVICES) + 1)
        plan = [Fault(step * place, name, Kind.RESTART) for place, name in enumerate(SERVICES, 1)]
        result = await worked(campaign.Wanted(FILINGS, plan, within=150))
        assert {oracle: found for oracle, found in result.problems.items() if found} == {}
        assert {each.fault.victim for each in result.recoveries} == set(SERVICES)
        assert set(result.later) <= set(AGAIN), result.later
        # what lay in a hand that closed is given back and comes again; a storm would be hundreds
        assert await delivered_again(held) - before <= FEW
