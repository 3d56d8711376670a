"""Tells the bus facts that never were, and looks whether each comes to an end and touches nobody else's things."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx
import nats

from attack import facts
from attack.facts import Told
from attack.settings import SERVICES, Settings
from attack.traces import Databases

# the plumbing and the clocks go on whatever is told
PLUMBING = frozenset({"inbox", "dead_letters", "idempotency", "journal", "journal_blocks", "alembic_version", "timers"})
LOOK = 0.5
# a message to a mailbox that is nobody's is read by nobody, and stays
MADE_UP = {
    "workbench": "delete from todos t where strpos(to_jsonb(t)::text, $1) > 0 or t.source_id !~ '^[0-9a-f-]{36}'",
    "orchestration": "delete from licence_changes where starts_with(licence_id, $1) or licence_id !~ '^[0-9a-f-]{36}'",
}

type Rows = dict[tuple[str, str], set[str]]


@dataclass(slots=True)
class Outcome:
    """What was told, and what came of it."""

    told: int = 0
    ends: Counter[str] = field(default_factory=Counter)
    findings: list[str] = field(default_factory=list)


async def tell(databases: Databases, settings: Settings, told: Sequence[Told], *, within: float) -> Outcome:
    """Tell all of it; whoever listens is given so much time to come to an end with it."""
    house = _House(databases, settings)
    before, counted = await house.rows(), await house.counted()
    listening = await house.listening()
    await _publish(settings.tongban_nats_url, told)
    outcome = Outcome(told=len(told))
    if not await house.comes_to_rest(within):
        outcome.findings += ["what was told sets things off without end"]
        outcome.findings += [each async for each in house.endless(listening, told)]
    outcome.findings += [each async for each in house.touched(before)]
    outcome.findings += [each async for each in house.parked(counted, outcome.ends)]
    return outcome


async def forget(databases: Databases) -> None:
    """Forget what was put aside and what was made up, as an operator forgets poison."""
    for name in SERVICES:
        await databases[name].execute("delete from dead_letters")
    for name, forgetting in MADE_UP.items():
        await databases[name].execute(forgetting, facts.OURS)


async def _publish(url: str, told: Iterable[Told]) -> None:
    client = await nats.connect(url)
    try:
        js = client.jetstream()
        for each in told:
            await js.publish(each.subject, each.body, headers=dict(each.headers) or None)
    finally:
        await client.close()


class _House:
    """What can be seen of the house from inside."""

    def __init__(self, databases: Databases, settings: Settings) -> None:
        self._databases = databases
        self._settings = settings

    async def listening(self) -> dict[str, list[str]]:
        """Who listens to each subject, without its last part."""
        found: dict[str, list[str]] = {}
        for consumer in _consumers(await self._streams()):
            found.setdefault(consumer["config"]["filter_subject"].removesuffix(".*"), []).append(consumer["name"])
        return found

    async def comes_to_rest(self, within: float) -> bool:
        """Whether nothing is on its way any more, nor what it has set off, after so much time at most.

        Between two looks at which nobody had anything to take, no fact was written down to be sent and none was sent.
        """
        deadline, idle_at = time.monotonic() + within, None
        while time.monotonic() < deadline:
            streams = await self._streams()
            sent = [each["state"]["last_seq"] for each in streams]
            busy = sum(each["num_pending"] + each["num_ack_pending"] for each in _consumers(streams))
            if not busy and sent == idle_at:
                return True
            idle_at = None if busy or await self._unsent() else sent
            await asyncio.sleep(LOOK)
        return False

    async def _unsent(self) -> int:
        """How many facts wait to be sent."""
        query = "select count(*) from outbox where published_at is null"
        return sum([await self._databases[name].fetchval(query) for name in SERVICES])

    async def _streams(self) -> list[dict[str, Any]]:
        asked = {"consumers": "true", "config": "true"}
        async with httpx.AsyncClient(trust_env=False, timeout=10) as http:
            answer = (await http.get(f"{self._settings.tongban_nats_monitor_url}/jsz", params=asked)).raise_for_status()
        found = [stream for account in answer.json()["account_details"] for stream in account["stream_detail"]]
        return sorted(found, key=lambda stream: str(stream["name"]))

    async def endless(self, listening: Mapping[str, Sequence[str]], told: Iterable[Told]) -> AsyncIterator[str]:
        """What has come to no end, by whom and what it is."""
        ended = {
            (row[0], row[1])
            for name in SERVICES
            for row in await self._databases[name].fetch(
                "select consumer, id from inbox union all select consumer, id from dead_letters"
            )
        }
        for each in told:
            for consumer in listening.get(each.subject.rpartition(".")[0], ()):
                fact = _id(each.headers.get("ce-id", ""))
                if fact and (consumer, fact) not in ended:
                    yield f"{consumer} comes to no end with {each.what}"

    async def rows(self) -> Rows:
        """Everything that the services keep, row by row."""
        found: Rows = {}
        for name in SERVICES:
            database = self._databases[name]
            for (table,) in await database.fetch("select tablename from pg_tables where schemaname = 'public'"):
                if table not in PLUMBING and not table.startswith("outbox"):
                    query = f'select to_jsonb(t)::text from "{table}" t'  # noqa: S608 - of the catalogue
                    found[name, table] = {row[0] for row in await database.fetch(query)}
        return found

    async def touched(self, before: Rows) -> AsyncIterator[str]:
        """Rows that are not as they were, of things that nobody has made up."""
        for (name, table), now in (await self.rows()).items():
            for row in before[name, table] - now:
                if facts.OURS not in row:
                    yield f"{name}.{table}: a row was changed: {row[:200]}"

    async def parked(self, counted: Mapping[str, float], ends: Counter[str]) -> AsyncIterator[str]:
        """What was put aside: with a reason that tells nothing of anybody, and counted."""
        now = await self.counted()
        for name in SERVICES:
            letters = await self._databases[name].fetch("select consumer, reason, error, type from dead_letters")
            for consumer, reason, error, kind in letters:
                ends[reason] += 1
                if reason in {"FAILED", ""}:
                    yield f"{consumer}: nobody has decided on {kind[:80]}: {error}"
                if any(each in f"{reason} {error}" for each in facts.PERSONAL):
                    yield f"{consumer}: the reason tells of a person"
            if now[name] - counted[name] < len(letters):
                yield f"{name}: {len(letters)} put aside, {now[name] - counted[name]} counted"

    async def counted(self) -> dict[str, float]:
        """What each service has counted as put aside since it began."""
        found = {}
        async with httpx.AsyncClient(trust_env=False) as http:
            for name, port in self._settings.ports.items():
                page = (await http.get(f"http://127.0.0.1:{port}/metrics")).text
                lines = (line for line in page.splitlines() if line.startswith("tongban_consumer_parked_total"))
                found[name] = sum(float(line.rpartition(" ")[2]) for line in lines)
        return found


def _consumers(streams: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for stream in streams:
        for consumer in stream.get("consumer_detail") or ():
            if consumer["name"].partition("-")[0] in SERVICES:
                yield consumer


def _id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
