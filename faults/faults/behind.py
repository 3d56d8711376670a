"""A consumer is away while 50,000 facts pass: `python -m faults.behind`, beside a house that is up.

The facts are about cases that nobody knows: their consumers take them and show them to nobody. So the relay's and the
consumers' whole way is measured, and nobody's list is spoilt. A filing that is made meanwhile waits behind them.
"""

import argparse
import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from uuid import uuid4

from demo.people import Cast
from tongban.options.v1 import event_pb2
from tongban.orchestration.v1 import case_events_pb2 as pb

from faults import campaign, reconciling, records, work
from faults.ledger import JSON, Ledger
from faults.settings import Settings
from faults.told import every
from tools.runner.control import Control

AWAY = "workbench"
SUBJECTS = "evt"
LISTENS = "workbench-schedule_todo"
WITHIN = 1800.0


async def behind(everybody: Cast, facts: int) -> JSON:
    """Stop the consumer, let the facts pass, start it again; then everything is reconciled."""
    inside, ledger, cases = Settings(), Ledger(time.monotonic), set[str]()
    control = Control(inside.tongban_control)
    mother, *officers = campaign.persons(everybody, ledger)
    async with asyncio.timeout(WITHIN), reconciling.opened(inside) as held, surely_back(control):
        await control.stop(AWAY)
        began = time.monotonic()
        await _emit(held, facts)
        filing = await work.file(mother, 0, f"behind-{datetime.now(UTC):%H%M%S}")
        cases.update(case["case_id"] for case in filing["cases"])
        while await held["orchestration"].fetchval("select count(*) from outbox where published_at is null"):
            await asyncio.sleep(0.2)
        published = time.monotonic()
        await control.start(AWAY)
        started = time.monotonic()
        async with campaign.officers_at_work(officers, cases):
            while await _waiting(inside):
                await asyncio.sleep(0.2)
            caught_up = time.monotonic()
            await work.follow(mother, filing["filing_id"])
        closed = time.monotonic()
        await reconciling.rest(held, inside, time.monotonic)
        mine = frozenset({filing["filing_id"]})
        others = frozenset(each["filing_id"] for each in await every(mother, "orchestration/v1/filings"))
        found = await reconciling.reconcile(ledger, mother, officers, inside, held, before=others - mine)
    return {
        "facts": facts,
        "published_per_second": round(facts / (published - began)),
        "handled_per_second": round(facts / (caught_up - started)),
        "seconds_to_catch_up": round(caught_up - started, 1),
        "seconds_until_the_filing_closed": round(closed - started, 1),
        "oracles": {name: problems for name, problems in found.items() if problems} or "all hold",
    }


@asynccontextmanager
async def surely_back(control: Control) -> AsyncIterator[None]:
    """However the block ends, the consumer runs after it."""
    try:
        yield
    finally:
        await control.start(AWAY)


async def _emit(held: records.Records, facts: int) -> None:
    fact = pb.CaseAccepted.DESCRIPTOR.GetOptions().Extensions[event_pb2.event].subject
    rows = []
    for _ in range(facts):
        case = str(uuid4())
        body = pb.CaseAccepted(case_id=case, version=2).SerializeToString()
        rows.append((uuid4(), f"{SUBJECTS}.orchestration.v1.{fact}.{case}", body))
    await held["orchestration"].execute(
        "insert into outbox (id, created_at, subject, type, body, headers) "
        "select u.id, now(), u.subject, $4, u.body, '{}' "
        "from unnest($1::uuid[], $2::text[], $3::bytea[]) as u (id, subject, body)",
        *([row[place] for row in rows] for place in range(3)),
        pb.CaseAccepted.DESCRIPTOR.full_name,
    )


async def _waiting(inside: Settings) -> int:
    found = await records.consumers(inside.tongban_nats_monitor_url)
    return sum(each["num_pending"] + each["num_ack_pending"] for _, each in found if each["name"] == LISTENS)


async def alone(facts: int) -> JSON:
    async with campaign.city(at=datetime.now(UTC)) as everybody:
        return await behind(everybody, facts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--facts", type=int, default=50_000)
    print(json.dumps(asyncio.run(alone(parser.parse_args().facts)), indent=1, ensure_ascii=False))


if __name__ == "__main__":
    main()
