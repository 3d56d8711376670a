"""Reconciles the ledger with the house, by every oracle, once the house has come to rest."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import asyncpg

from faults import records
from faults.ledger import Ledger
from faults.oracles import OUTSIDE, Evidence, asked_of_departments
from faults.person import Person
from faults.records import Records
from faults.settings import Settings
from faults.told import tell

# what a killed consumer held comes again after a minute at the latest, what failed with growing pauses
REST_WITHIN = 150.0
INSIDE = (
    records.alive,
    records.versions_without_gap,
    records.counts_right,
    records.journal_legal,
    records.due_as_counted,
)


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Records]:
    """Each service's database, to be read."""
    connections = {service: await asyncpg.connect(url) for service, url in settings.databases.items()}
    try:
        yield connections
    finally:
        for connection in connections.values():
            await connection.close()


async def rest(held: Records, settings: Settings, clock: Callable[[], float]) -> float:
    """Wait until nothing is on its way any more, and say how long that took."""
    began = clock()
    while clock() - began < REST_WITHIN:
        if not (await records.drained(held) or await records.heard_by_all(held, settings.tongban_nats_monitor_url)):
            break
        await asyncio.sleep(0.5)
    return clock() - began


async def reconcile(
    ledger: Ledger,
    mother: Person,
    officers: list[Person],
    settings: Settings,
    held: Records,
    *,
    before: frozenset[str] = frozenset(),
) -> dict[str, list[str]]:
    """Every oracle with the problems that it found."""
    filings = sorted(act.answer["filing_id"] for act in ledger.answered("draft"))
    told = await tell(mother, officers, filings)
    evidence = Evidence(ledger, told, asked_of_departments(settings.department_file), before)
    found = {oracle.__name__: oracle(evidence) for oracle in OUTSIDE}
    found |= {oracle.__name__: await oracle(held, filings) for oracle in INSIDE}
    return found | {
        "drained": await records.drained(held),
        "heard_by_all": await records.heard_by_all(held, settings.tongban_nats_monitor_url),
    }
