"""The same rows and the same events without a framework: what asyncpg and nats-py alone need for them.

One filing goes through the house's own code first, while every statement is taken down with its arguments. Then the
same transactions are sent for many filings with fresh ids: no domain, no sealing, no SQLAlchemy, no envelope. Events
go through a relay and pull consumers written by hand, in batches as the house's: an inbox row for each, and the
statements that were taken down for it.
"""

import argparse
import asyncio
import json
import os
import pickle
import re
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import nats
import orjson
import uvloop
from uuid_utils.compat import uuid7

from bench import meter
from bench.contenders import ours, servers, taken
from bench.contenders.form import WARM_UP
from bench.contenders.taken import Done, Statement
from tools.runner.control import Control

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_NUMBER = re.compile(r"\b370303\d{8}\w*\b|\b370303-\d{8}[\w-]*\b")
_STREAM = "EVT_ORCHESTRATION"
_CLAIM = (
    "select id, created_at, subject, type, body, headers from outbox where published_at is null"
    " order by created_at, id limit 500 for update skip locked"
)
_MARK = (
    "update outbox set published_at = now(), stream = $1, seq = p.seq"
    " from unnest($2::uuid[], $3::timestamptz[], $4::bigint[]) as p (id, created_at, seq)"
    " where outbox.id = p.id and outbox.created_at = p.created_at"
)
_INBOX = (
    "insert into inbox (consumer, id, at) select $1, u.id, now() from unnest($2::uuid[]) as u (id)"
    " on conflict do nothing"
)
_BATCH = 64


class Copy:
    """A filing that did exactly what the one taken down did, with ids and numbers of its own."""

    def __init__(self, serial: int) -> None:
        self._serial = serial
        self._ids: dict[str, str] = {}

    def of(self, value: Any) -> Any:
        match value:
            case UUID():
                return UUID(self.id(str(value)))
            case str():
                changed = _UUID.sub(lambda found: self.id(found[0]), value)
                return _NUMBER.sub(lambda found: f"{found[0]}{self._serial:05d}", changed)
            case list() | tuple():
                return [self.of(each) for each in value]
            case _:
                return value

    def id(self, known: str) -> str:
        if known.startswith("00000000-"):
            return known
        return self._ids.setdefault(known, str(uuid7()))

    def statements(self, done: Done) -> list[Statement]:
        return [(query, tuple(self.of(each) for each in arguments)) for query, arguments in done]


async def take_down() -> tuple[list[Done], dict[tuple[str, str], Done], list[str]]:
    """One filing through the house's code: its steps, and what each consumer does about each fact."""
    taken.watch()
    with tempfile.TemporaryDirectory() as folder:
        desk = Path(folder) / "workbench"
        ours.WORKBENCH = ("bench.contenders.taken", str(desk), "workbench.main")
        async with ours.opened() as loop:
            await ours.drained(loop)
            taken.done.clear()
            await loop.run(1)
            await ours.drained(loop)
        there = [*taken.done, *pickle.loads(desk.read_bytes())]
    effects: dict[tuple[str, str], Done] = {}
    steps: list[Done] = []
    for done in there:
        query, arguments = done[0] if done else ("", ())
        if query.startswith("insert into inbox"):
            effects[(arguments[0], str(arguments[1][0]))] = done[1:]
        elif any("acts as (" in query for query, _ in done):
            steps.append(done)
    return steps, effects, sorted({durable for durable, _ in effects})


class Loop:
    """Steps, relay and consumers by hand."""

    def __init__(self, own: asyncpg.Pool, desk: asyncpg.Pool, client: Any) -> None:
        self.own, self.desk, self.client = own, desk, client
        self.effects: dict[tuple[str, str], list[Statement]] = {}
        self.handled: dict[str, int] = defaultdict(int)
        self.woken = asyncio.Event()
        self.working: list[asyncio.Task[None]] = []

    async def filing(self, transactions: list[list[Statement]]) -> None:
        for each in transactions:
            async with self.own.acquire() as connection:
                await connection.execute("begin")
                for query, arguments in each:
                    await connection.fetch(query, *arguments)
                await connection.execute("commit")
            self.woken.set()

    async def relay(self) -> None:
        while True:
            try:
                async with asyncio.timeout(1):
                    await self.woken.wait()
            except TimeoutError:
                pass
            self.woken.clear()
            while await self._publish():
                pass

    async def _publish(self) -> int:
        async with self.own.acquire() as connection, connection.transaction():
            rows = await connection.fetch(_CLAIM)
            if not rows:
                return 0
            batch = self.client.new_inbox().rpartition(".")[2]
            for place, row in enumerate(rows, 1):
                headers = {
                    "Nats-Msg-Id": str(row["id"]),
                    "ce-id": str(row["id"]),
                    "ce-type": row["type"],
                    "ce-time": row["created_at"].isoformat(),
                    **orjson.loads(row["headers"]),
                }
                if len(rows) > 1:
                    headers |= {"Nats-Batch-Id": batch, "Nats-Batch-Sequence": str(place)}
                if place < len(rows):
                    await self.client.publish(row["subject"], row["body"], headers=headers)
            if len(rows) > 1:
                headers["Nats-Batch-Commit"] = "1"
            reply = orjson.loads(
                (await self.client.request(rows[-1]["subject"], rows[-1]["body"], headers=headers)).data
            )
            first = reply["seq"] - len(rows) + 1
            seqs = list(range(first, first + len(rows)))
            await connection.execute(
                _MARK, _STREAM, [row["id"] for row in rows], [row["created_at"] for row in rows], seqs
            )
        return len(rows)

    async def consume(self, durable: str, subject: str) -> None:
        """One durable; what is not its kind of fact does not reach it."""
        pull = await self.client.jetstream().pull_subscribe(subject, durable, _STREAM)
        pool = self.desk if durable.startswith("workbench") else self.own
        while True:
            try:
                messages = await pull.fetch(_BATCH, timeout=1)
            except TimeoutError:  # nothing came
                continue
            ids = [message.headers["ce-id"] for message in messages]
            while not await self._effect(pool, durable, ids):
                pass
            for message in messages:
                await message.ack()
            self.handled[durable] += len(messages)

    async def _effect(self, pool: asyncpg.Pool, durable: str, ids: list[str]) -> bool:
        """All of them in one transaction; False when another consumer held what it needs."""
        async with pool.acquire() as connection:
            await connection.execute("begin")
            try:
                await connection.execute(_INBOX, durable, ids)
                for each in ids:
                    for query, arguments in self.effects.get((durable, each), ()):
                        await connection.fetch(query, *arguments)
                await connection.execute("commit")
            except asyncpg.DeadlockDetectedError:
                await connection.execute("rollback")
                return False
        return True


@asynccontextmanager
async def opened(subjects: dict[str, str]) -> AsyncIterator[Loop]:
    client = await nats.connect(os.environ["TONGBAN_NATS_URL"])
    async with (
        asyncpg.create_pool(servers.url("orchestration"), min_size=8, max_size=8, init=_plain) as own,
        asyncpg.create_pool(servers.url("workbench"), min_size=8, max_size=8, init=_plain) as desk,
    ):
        loop = Loop(own, desk, client)
        working = [asyncio.create_task(loop.relay())]
        working += [asyncio.create_task(loop.consume(durable, subject)) for durable, subject in subjects.items()]
        loop.working = working
        try:
            yield loop
        finally:
            for task in working:
                task.cancel()
            await asyncio.gather(*working, return_exceptions=True)
            await client.close()


async def _plain(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    # what was taken down carries JSON as text
    for kind in ("json", "jsonb"):
        await connection.set_type_codec(kind, schema="pg_catalog", encoder=str, decoder=str)


async def measure(filings: int) -> dict[str, object]:
    control = Control.from_environment()
    steps, effects, durables = await take_down()
    subjects = await servers.filters(_STREAM, durables)
    loaded: list[list[list[Statement]]] = []
    async with opened(subjects) as loop:
        for serial in range(1, filings + WARM_UP + 1):
            copy = Copy(serial)
            loaded.append([copy.statements(each) for each in steps])
            loop.effects |= {
                (durable, copy.id(fact)): copy.statements(done) for (durable, fact), done in effects.items()
            }
        gate = asyncio.Semaphore(ours.AT_ONCE)

        async def one(transactions: list[list[Statement]]) -> None:
            async with gate:
                await loop.filing(transactions)

        async def several(some: list[list[list[Statement]]]) -> None:
            wanted = sum(loop.handled.values()) + len(effects) * len(some)
            await asyncio.gather(*(one(each) for each in some))

            async def so() -> bool:
                for task in loop.working:
                    if task.done():
                        task.result()  # it never ends by itself: this raises what broke it
                return sum(loop.handled.values()) >= wanted

            await meter.until(so, within=120, what="every fact is handled", every=0.05)

        await several(loaded[:WARM_UP])
        before, own, begun = await meter.by_part(control), time.process_time(), time.perf_counter()
        await several(loaded[WARM_UP:])
        seconds = time.perf_counter() - begun
        cpu = {"loop": 1000 * (time.process_time() - own) / filings}
        after = await meter.by_part(control)
    cpu |= {name: 1000 * (after[name] - before[name]) / filings for name in ("postgres", "nats")}
    return {
        "filings": filings,
        "filings_per_second": round(filings / seconds, 2),
        "cpu_ms_per_filing": {name: round(each, 2) for name, each in cpu.items()}
        | {"all": round(sum(cpu.values()), 2)},
        "transactions_per_filing": len(steps),
        "deliveries_per_filing": len(effects),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("result", type=Path)
    parser.add_argument("--filings", type=int, default=40)
    arguments = parser.parse_args()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        result = runner.run(measure(arguments.filings))
    arguments.result.write_text(json.dumps(result))


if __name__ == "__main__":
    main()
