"""Relay and consumers: facts per second on a broker that syncs every write, and the lag after a burst.

    python -m tools.runner exec --instance bench --no-keycloak --keep-data -- python -m bench.bus

The facts are cases that became ready; the consumer writes one row for each, as a use case would.
"""

import argparse
import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from uuid import UUID

import asyncpg
import uvloop
from common import consumer, outbox, process, relay, telemetry, transaction
from common.auth import Actor, system
from common.bus import Bus
from common.db import Database
from common.inbox import Fact, Subscriptions
from orchestration.settings import Settings
from sealing import KeyRing
from tongban.orchestration.v1 import case_events_pb2 as pb
from uuid_utils.compat import uuid7

from bench import meter
from bench.contenders import servers
from tools.runner.control import Control

SERVICE = "orchestration"
SINGLES = 200
_SEEN = "insert into seen (fact, at) values (cast(:fact as uuid), now()) returning 1"
# one statement: a burst is there at once
_BURST = """
insert into outbox (id, created_at, subject, type, body, headers)
select gen_random_uuid(), clock_timestamp(), $1 || gen_random_uuid(), $2, $3, '{"ce-actor": "service:bench"}'
from generate_series(1, $4)"""
subscriptions = Subscriptions("bench")


@subscriptions.on(pb.CaseReady)
async def see(_app: object, tx: SimpleNamespace, fact: Fact[pb.CaseReady]) -> None:
    tx.unit.write("see", _SEEN, rows=1, fact=str(fact.id))


@dataclass(frozen=True)
class Store:
    """As a service's."""

    database: Database
    keys: KeyRing

    @asynccontextmanager
    async def begin(
        self, actor: Actor, *, once: Sequence[UUID] = (), consumer: str = ""
    ) -> AsyncIterator[SimpleNamespace]:
        async with transaction.begin(
            self.database,
            service=SERVICE,
            at=process.now(),
            ids=uuid7,
            actor=actor,
            keys=self.keys,
            once=once,
            consumer=consumer,
        ) as unit:
            yield SimpleNamespace(unit=unit)


class Bench:
    """A database, a broker, and what moves facts from one to the other."""

    def __init__(self, store: Store, bus: Bus, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        self.store, self.bus, self.connection = store, bus, connection
        self.control = Control.from_environment()

    async def burst(self, facts: int) -> None:
        way = outbox.route(pb.CaseReady.DESCRIPTOR)
        body = pb.CaseReady(
            case_id=str(uuid7()), item_name="出生医学证明(首次签发)", case_no="370303-1"
        ).SerializeToString()
        await self.connection.execute(
            _BURST, f"{way.prefix}.", pb.CaseReady.DESCRIPTOR.full_name, body, facts, timeout=120
        )

    async def published(self) -> bool:
        return await self.connection.fetchval("select not exists (select from outbox where published_at is null)")

    async def seen(self, facts: int) -> bool:
        return await self.connection.fetchval("select count(*) from seen") >= facts

    @asynccontextmanager
    async def running(self, *parts: str) -> AsyncIterator[None]:
        stop = asyncio.Event()
        work = []
        if "relay" in parts:
            work.append(relay.run(self.store.database, self.bus, SERVICE, stop=stop))
        if "consumer" in parts:
            work += [consumer.run(each, None, self.store, self.bus, stop=stop) for each in subscriptions]
        tasks = [asyncio.create_task(each) for each in work]
        try:
            yield
        finally:
            stop.set()
            await asyncio.gather(*tasks)

    async def timed(self, facts: int, done: str, *parts: str) -> dict[str, object]:
        """How long these parts take for what is there, and what it costs."""
        before, own, begun = (
            await meter.by_part(self.control, ("postgres", "nats")),
            time.process_time(),
            time.perf_counter(),
        )
        async with self.running(*parts):
            wanted = await self.connection.fetchval("select count(*) from seen") + facts

            async def so() -> bool:
                return await (self.published() if done == "published" else self.seen(wanted))

            await meter.until(so, within=120, what=done)
            seconds = time.perf_counter() - begun
        cpu = meter.difference(before, await meter.by_part(self.control, ("postgres", "nats")), facts)
        own_ms = round(1000 * (time.process_time() - own) / facts, 3)
        cpu = {"python": own_ms, **cpu, "all": round(cpu["all"] + own_ms, 3)}
        return {
            "facts": facts,
            "per_second": round(facts / seconds),
            "seconds": round(seconds, 2),
            "cpu_ms_per_fact": cpu,
        }

    async def singly(self) -> dict[str, float]:
        """From the commit of a change to the commit of its effect, one at a time."""
        took = []
        for _ in range(SINGLES):
            wanted = await self.connection.fetchval("select count(*) from seen") + 1
            async with self.store.begin(system(SERVICE)) as tx:
                tx.unit.emit(pb.CaseReady(case_id=str(uuid7())))
            begun = time.perf_counter()
            while not await self.seen(wanted):
                await asyncio.sleep(0)
            took.append(time.perf_counter() - begun)
        return meter.percentiles(took)


async def measure(facts: int, burst: int) -> dict[str, object]:
    url = await servers.database(SERVICE)
    await servers.forget_streams()
    settings = Settings()
    database, bus = Database(url), Bus(settings.nats_url, SERVICE)
    await bus.connect()
    await bus.ensure_stream(SERVICE)
    database.kick = lambda: bus.kick(SERVICE)
    keys = KeyRing.from_settings(
        {name: key.get_secret_value() for name, key in settings.data_keys.items()},
        settings.index_key.get_secret_value(),
    )
    connection = await asyncpg.connect(servers.url(SERVICE))
    try:
        await connection.execute("create table seen (fact uuid primary key, at timestamptz not null)")
        bench = Bench(Store(database, keys), bus, connection)
        async with bench.running("relay", "consumer"):
            single = await bench.singly()
        await bench.burst(facts)
        alone = await bench.timed(facts, "published", "relay")
        drained = await bench.timed(facts, "seen", "consumer")
        async with bench.running("relay", "consumer"):
            await bench.burst(burst)
            begun = time.perf_counter()
            wanted = SINGLES + facts + burst
            await meter.until(lambda: bench.seen(wanted), within=180, what="the burst is handled")
            lag = time.perf_counter() - begun
        twice = await connection.fetchval("select count(*) - count(distinct fact) from seen")
    finally:
        await connection.close()
        await bus.close()
        await database.close()
    return {
        "one_at_a_time": single,
        "relay": alone,
        "consumer": drained,
        "burst": {"facts": burst, "lag_seconds": round(lag, 1), "per_second": round(burst / lag), "twice": twice},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--facts", type=int, default=20_000)
    parser.add_argument("--burst", type=int, default=50_000)
    arguments = parser.parse_args()
    telemetry.setup("bench")
    machine = meter.machine()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        result = runner.run(measure(arguments.facts, arguments.burst))
    command = f"python -m bench.bus --facts {arguments.facts} --burst {arguments.burst}"
    meter.write("bus", {**result, "machine": machine, "command": command})


if __name__ == "__main__":
    main()
