"""The oracles that look inside: what the services' databases and the broker hold when all is over."""

import asyncio
import json
import time
from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import httpx
from tongban.orchestration.v1 import case_events_pb2
from worktime import Clock, national

from faults.ledger import JSON, Ledger

if TYPE_CHECKING:
    import asyncpg

# acts at the front door lie in Redis first
WRITTEN_WITHIN = 20.0

type Records = Mapping[str, "asyncpg.Connection[asyncpg.Record]"]

# the facts that tell of a new version of a case; a delivery is of a document, and leaves the case as it is
FACTS = {
    each.full_name: name
    for name, each in case_events_pb2.DESCRIPTOR.message_types_by_name.items()
    if name != case_events_pb2.CaseDelivered.DESCRIPTOR.name
}
# what may follow what on one case, as its journal tells
NEXT = {
    "": {"orchestration.accept_case"},
    "orchestration.accept_case": {"orchestration.approve_case"},
    "orchestration.approve_case": {"orchestration.record_result"},
    "orchestration.record_result": set[str](),
}
MOVES = [act for act in NEXT if act]

MOTIONLESS = """
select f.id::text from filings f where f.state = 'submitted' and f.id = any($1::uuid[])
and not exists (select from cases c where c.filing_id = f.id
 and c.status in ('ready', 'supplement_requested', 'accepted', 'special_procedure'))
and not exists (select from calls k where k.filing_id = f.id and k.state in ('pending', 'incident'))"""
RECOUNTED = """
select f.id::text, f.open_cases, count(c.id) filter (where not (c.status in ('certificate_made', 'refused', 'pruned',
 'declined', 'withdrawn', 'terminated') or (c.status = 'approved' and not c.gives_licence))) as counted
from filings f join cases c on c.filing_id = f.id where f.id = any($1::uuid[]) group by f.id, f.open_cases"""
DEPENDENCIES = """
select c.id::text, c.open_dependencies, count(d.id) filter (where d.status in ('waiting', 'ready',
 'supplement_requested', 'accepted', 'special_procedure')) as counted
from cases c left join cases d on d.filing_id = c.filing_id
 and d.item in (select w ->> 'item' from jsonb_array_elements(c.waits_for) w)
where c.filing_id = any($1::uuid[]) group by c.id, c.open_dependencies"""


async def alive(records: Records, filings: list[str]) -> list[str]:
    """Oracle 1: no open filing that nothing will move, no call given up."""
    found = await records["orchestration"].fetch(MOTIONLESS, filings)
    calls = "select case_id::text, kind, state from calls where state <> 'done' and filing_id = any($1::uuid[])"
    left = await records["orchestration"].fetch(calls, filings)
    return [
        *(f"nothing moves filing {row[0]}" for row in found),
        *(f"case {row['case_id']}: a call {row['kind']} is still {row['state']}" for row in left),
    ]


async def versions_without_gap(records: Records, filings: list[str]) -> list[str]:
    """Oracle 3: the facts of a case carry versions that follow each other, none twice, up to the case's own."""
    rows = await records["orchestration"].fetch("select type, body from outbox where type = any($1)", list(FACTS))
    told: dict[str, list[int]] = defaultdict(list)
    for row in rows:
        fact: Any = getattr(case_events_pb2, FACTS[row["type"]])()
        fact.ParseFromString(row["body"])
        told[fact.case_id].append(fact.version)
    cases = "select id::text, version from cases where filing_id = any($1::uuid[])"
    problems = []
    for case_id, version in await records["orchestration"].fetch(cases, filings):
        versions = sorted(told[case_id])
        if versions != list(range(versions[0] if versions else 0, version + 1)):
            problems.append(f"case {case_id} at version {version}: its facts say {versions}")
    return problems


async def counts_right(records: Records, filings: list[str]) -> list[str]:
    """Oracle 4: what is counted down step by step equals what is counted anew."""
    open_cases = await records["orchestration"].fetch(RECOUNTED, filings)
    dependencies = await records["orchestration"].fetch(DEPENDENCIES, filings)
    return [f"{row[0]}: kept as {row[1]}, counted {row[2]}" for row in (*open_cases, *dependencies) if row[1] != row[2]]


async def journal_legal(records: Records, filings: list[str]) -> list[str]:
    """Oracle 5: the journal of each case shows only steps that may follow each other."""
    rows = await records["orchestration"].fetch(
        "select subject_id, act from journal where subject_kind = 'case' and act = any($2) and subject_id in "
        "(select id::text from cases where filing_id = any($1::uuid[])) order by at, id",
        filings,
        MOVES,
    )
    last: dict[str, str] = defaultdict(str)
    problems = []
    for case_id, act in rows:
        if act not in NEXT[last[case_id]]:
            problems.append(f"case {case_id}: {act} after {last[case_id] or 'nothing'}")
        last[case_id] = act
    return problems


async def due_as_counted(records: Records, filings: list[str]) -> list[str]:
    """Oracle 6: each due time is what its clock gives when it is counted anew."""
    query = (
        "select id::text, clocks::text, promised_due_at, statutory_due_at from cases where filing_id = any($1::uuid[])"
    )
    problems = []
    for case_id, kept, promised, statutory in await records["orchestration"].fetch(query, filings):
        clocks: JSON = _json(kept)
        for clock, due_at in ((clocks["promised"], promised), (clocks["statutory"], statutory)):
            if (Clock.from_dict(clock).due_at(national()) if clock else None) != due_at:
                problems.append(f"case {case_id}: due at {due_at}, counted otherwise")
    return problems


async def accounts_as_answered(records: Records, beside: Ledger) -> list[str]:
    """What the clerk was answered of people, posts and mergers stands in the accounts' journal, once."""
    expected: dict[tuple[str, str], int] = {}
    for act in beside.acts.values():
        if act.answered:
            subject, entries = (act.answer["merger_id"], 2) if "merger" in act.kind else (act.subject, 1)
            expected[(f"accounts.{act.kind}", subject)] = entries
    rows = await records["accounts"].fetch(
        "select act, subject_id, count(*) from journal where subject_id = any($1) group by 1, 2",
        [subject for _, subject in expected],
    )
    found = {(row[0], row[1]): row[2] for row in rows}
    return [
        f"{act} of {subject}: {found.get((act, subject), 0)} times in the journal, {entries} expected"
        for (act, subject), entries in expected.items()
        if found.get((act, subject), 0) != entries
    ]


async def door_as_answered(
    gateway: "asyncpg.Connection[asyncpg.Record]", person_id: str, told: Mapping[str, int], since: datetime
) -> list[str]:
    """Each log-in and log-out that was answered stands in the gateway's journal, and none of them twice."""
    deadline, problems = time.monotonic() + WRITTEN_WITHIN, ["nobody came to the door"]
    while told and problems and time.monotonic() < deadline:
        rows = await gateway.fetch(
            "select act, count(*) as entries, count(distinct (subject_id, at, trace_id)) as acts from journal"
            " where owner_id = $1 and at >= $2 group by 1",
            *(person_id, since),
        )
        found = {row["act"]: row["entries"] for row in rows}
        # an answer that was lost on its way leaves an entry that nobody was told of
        problems = [
            f"{act}: {found.get(act, 0)} times in the journal, answered {answered} times"
            for act, answered in told.items()
            if found.get(act, 0) < answered
        ] + [
            f"{row['act']}: {row['entries']} entries of {row['acts']}" for row in rows if row["entries"] != row["acts"]
        ]
        await asyncio.sleep(1 if problems else 0)
    return problems


async def drained(records: Records) -> list[str]:
    """Nothing waits in an outbox, nothing was put aside."""
    problems = []
    for service, database in records.items():
        if waiting := await database.fetchval("select count(*) from outbox where published_at is null"):
            problems.append(f"{waiting} facts wait in the outbox of {service}")
        letters = await database.fetch("select consumer, reason from dead_letters where replayed_at is null")
        problems += [f"{row['consumer']} has put a fact aside: {row['reason']}" for row in letters]
    return problems


async def heard_by_all(records: Records, monitor: str) -> list[str]:
    """Every fact was handled, once, by each consumer that listens to its kind."""
    problems = []
    for stream, consumer in await consumers(monitor):
        name, pending = consumer["name"], consumer["num_pending"] + consumer["num_ack_pending"]
        source, listener = stream.removeprefix("EVT_").lower(), name.partition("-")[0]
        if pending:
            problems.append(f"{name}: {pending} facts are still to be handled")
        if source not in records or listener not in records:
            continue
        prefix = consumer["config"]["filter_subject"].removesuffix("*")
        emitted = {
            row["id"]
            for row in await records[source].fetch("select id from outbox where starts_with(subject, $1)", prefix)
        }
        handled = {row["id"] for row in await records[listener].fetch("select id from inbox where consumer = $1", name)}
        problems += [f"{name} never handled {fact}" for fact in sorted(emitted - handled)]
    return problems


async def consumers(monitor: str) -> list[tuple[str, JSON]]:
    async with httpx.AsyncClient(trust_env=False, timeout=10) as http:
        answer = (await http.get(f"{monitor}/jsz", params={"consumers": "true", "config": "true"})).raise_for_status()
    return [
        (stream["name"], consumer)
        for account in answer.json()["account_details"]
        for stream in account["stream_detail"]
        for consumer in stream.get("consumer_detail") or ()
    ]


def _json(text: str) -> JSON:
    value: JSON = json.loads(text)
    return value
