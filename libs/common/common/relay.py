"""From the outbox to the bus: claim, publish as one batch, mark, in one transaction; and again what the bus lost."""

import asyncio
from collections.abc import Sequence
from typing import Any

from nats.errors import ConnectionClosedError
from prometheus_client import Counter, Gauge

from common import db, deadletter, outbox
from common.bus import Ack, Bus, Letter
from common.db import Database
from common.telemetry import log
from common.transaction import plain

BATCH = 500
POLL = 1.0
CHECK = 60.0
LONGEST_PAUSE = 5.0

PENDING = Gauge("tongban_outbox_pending", "Facts that wait for the relay.", ("service",))
ASIDE = Gauge("tongban_dead_letters_waiting", "Facts that were put aside and wait for a person.", ("service",))
PUBLISHED = Counter("tongban_relay_published", "Facts published.", ("service",))
REPLAYED = Counter("tongban_relay_replayed", "Facts published again because the bus had lost them.", ("service",))


async def run(database: Database, bus: Bus, service: str, *, stop: asyncio.Event | None = None) -> None:
    """Publish a service's facts until told to stop, then once more."""
    stop = stop or asyncio.Event()
    relay = Relay(database, bus, service)
    woken = asyncio.Event()
    await bus.on_kick(service, woken.set)
    pause, check_at = 0.0, 0.0
    clock = asyncio.get_running_loop().time
    while True:
        last = stop.is_set()
        woken.clear()
        try:
            if clock() >= check_at:
                await relay.check()
                check_at = clock() + CHECK
            while await relay.publish() == BATCH:
                pass
            pause = 0.0
        except ConnectionClosedError:
            raise
        except Exception as error:  # noqa: BLE001 - the rows stay; whatever is away comes back
            log.warning("relay.interrupted", service=service, exc_info=error)
            pause, check_at = min(max(2 * pause, 0.2), LONGEST_PAUSE), 0.0
        if last:
            return
        await (_first(stop.wait(), within=pause) if pause else _first(stop.wait(), woken.wait(), within=POLL))


async def _first(*events: Any, within: float) -> None:
    waiting = [asyncio.ensure_future(event) for event in events]
    try:
        await asyncio.wait(waiting, timeout=within, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for each in waiting:
            each.cancel()


class Relay:
    """One relay; any number may work beside it."""

    def __init__(self, database: Database, bus: Bus, service: str) -> None:
        self._database = database
        self._bus = bus
        self._service = service
        self._stream = outbox.stream_of(service)
        self._created = ""
        self._last = 0

    async def check(self) -> None:
        """Compare the stream with what we know of it: whatever it lost waits for publication again."""
        await self._bus.ensure_stream(self._service)
        async with plain(self._database) as connection:
            driver = await db.driver(connection)
            # Looked at under the row's lock: no other relay moves on while we compare.
            known = await outbox.hold(driver, self._stream)
            self._created, self._last = await self._bus.stream_state(self._stream)
            lost = await outbox.regress(driver, self._stream, known, self._created, self._last)
            PENDING.labels(self._service).set(await outbox.pending(driver))
            ASIDE.labels(self._service).set(await deadletter.waiting(driver))
        self._alarm(lost)

    async def publish(self) -> int:
        """Publish one batch and say how many got through."""
        lost = 0
        async with plain(self._database) as connection:
            driver = await db.driver(connection)
            rows = await outbox.claim(driver, BATCH)
            if not rows:
                return 0
            acks = await self._bus.publish_batch([_letter(self._service, row) for row in rows])
            if backwards := self._went_back(acks):
                known = await outbox.hold(driver, self._stream)
                lost = await outbox.regress(driver, self._stream, known, self._created, backwards - 1)
            published = [
                (row["id"], row["created_at"], ack.seq) for row, ack in zip(rows, acks, strict=True) if ack is not None
            ]
            if published:
                await outbox.mark(driver, self._stream, published)
        PUBLISHED.labels(self._service).inc(len(published))
        self._alarm(lost)
        return len(published)

    def _went_back(self, acks: Sequence[Ack | None]) -> int:
        """Give the first sequence that was given a second time: the stream was restored or made anew."""
        given = [ack.seq for ack in acks if ack is not None and not ack.duplicate]
        if not given:
            return 0
        before, self._last = self._last, max(given)
        return min(given) if min(given) <= before else 0

    def _alarm(self, lost: int) -> None:
        if lost:
            log.error("relay.stream_regressed", service=self._service, stream=self._stream, facts=lost)
            REPLAYED.labels(self._service).inc(lost)


def _letter(service: str, row: Any) -> Letter:
    told: dict[str, str] = row["headers"]
    headers = {
        "Nats-Msg-Id": str(row["id"]),
        "ce-specversion": "1.0",
        "ce-id": str(row["id"]),
        "ce-type": row["type"],
        "ce-source": f"/{service}",
        "ce-time": row["created_at"].isoformat(),
        **{name: value for name, value in told.items() if value},
    }
    return Letter(row["id"], row["subject"], headers, row["body"])
