"""From the bus to the use cases: a whole fetch is one transaction, acknowledged after its commit.

Three ends: done → ack; not now (`Unavailable`, `Conflict`, an unknown error) → nak, later again; never (a refusal,
unreadable, too often failed) → parked in the database, then ack. In any doubt the broker keeps the message,
and the inbox row, which stands in the transaction of the effect, makes the second time harmless.
"""

import asyncio
import hashlib
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from google.protobuf.message import Message
from nats.aio.msg import Msg
from nats.errors import ConnectionClosedError
from prometheus_client import Counter

from common import db, deadletter
from common.auth import system
from common.bus import MAX_ACK_PENDING, Bus, Pull, PullBroken
from common.errors import Conflict, Refusal, TooMany, Unavailable
from common.inbox import Fact, Subscription, Subscriptions, Unreadable
from common.telemetry import log, span

__all__ = ["Fact", "Subscriptions", "run"]

BATCH = 64
MAX_DELIVERIES = 8
BACKOFF = (1, 2, 5, 15, 30, 60, 120, 300)
WAIT = 1.0
REBINDS = 3

HANDLED = Counter("tongban_consumer_handled", "Facts handled.", ("consumer",))
DUPLICATES = Counter("tongban_consumer_duplicates", "Facts that had been handled before.", ("consumer",))
PARKED = Counter("tongban_consumer_parked", "Facts put aside.", ("consumer",))
DELAYED = Counter("tongban_consumer_delayed", "Facts given back for later.", ("consumer",))


async def run(subscription: Subscription, app: Any, store: Any, bus: Bus, *, stop: asyncio.Event | None = None) -> None:
    """Handle a subscription's facts until told to stop; what was begun is finished."""
    consumer = Consumer(subscription, app, store, bus)
    working = asyncio.ensure_future(consumer.work())
    stopping = asyncio.ensure_future((stop or asyncio.Event()).wait())
    try:
        await asyncio.wait((working, stopping), return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            consumer.stop()
        await asyncio.gather(working)
    finally:
        stopping.cancel()
        working.cancel()


class Consumer:
    """One durable consumer's life: bind, fetch, handle; and bind anew whenever the hand stays empty without reason."""

    def __init__(self, subscription: Subscription, app: Any, store: Any, bus: Bus) -> None:
        self._subscription = subscription
        self._name = f"{subscription.service}.{subscription.name}"
        self._durable = subscription.durable
        self._stream = subscription.route.stream
        self._app = app
        self._store = store
        self._bus = bus
        self._stopping = False
        self._idle: asyncio.Task[Any] | None = None
        self._stood_at = -1
        self._stalls = 0

    def stop(self) -> None:
        """Finish the batch in hand, take no other."""
        self._stopping = True
        if self._idle is not None:
            self._idle.cancel()

    async def work(self) -> None:
        while not self._stopping:
            try:
                pull = await self._wait(self._bus.bind(self._stream, self._durable, self._subscription.route.filter))
                if pull is None:
                    await self._wait(asyncio.sleep(WAIT))
                    continue
                try:
                    await self._serve(pull)
                finally:
                    await pull.close()
            except ConnectionClosedError:
                raise
            except asyncio.CancelledError:
                if not self._stopping:
                    raise
            except Exception as error:  # noqa: BLE001 - whatever is away comes back; nothing was acknowledged
                log.warning("consumer.interrupted", consumer=self._durable, exc_info=error)
                if not self._stopping:
                    await asyncio.sleep(WAIT)

    async def _wait(self, waiting: Any) -> Any:
        """Wait for something that a stop may cut short."""
        self._idle = asyncio.ensure_future(waiting)
        try:
            return await self._idle
        finally:
            self._idle = None

    async def _serve(self, pull: Pull) -> None:
        while not self._stopping:
            messages = await self._wait(pull.fetch(BATCH))
            if messages:
                self._stalls = 0
                if not await self.handle(messages):
                    await self._wait(asyncio.sleep(WAIT))
            else:
                await self._watch()

    async def _watch(self) -> None:
        """Nothing came: if the broker holds something for us all the same, bind anew, at last from the beginning."""
        info = await self._bus.consumer(self._stream, self._durable)
        stands_at = info.delivered.stream_seq if info.delivered else 0
        stalled = bool(info.num_pending) and (info.num_ack_pending or 0) < MAX_ACK_PENDING
        if not stalled or stands_at != self._stood_at:
            self._stood_at, self._stalls = stands_at, 0
            return
        self._stalls += 1
        if self._stalls > REBINDS:
            await self._bus.forget(self._stream, self._durable)
            self._stalls = 0
        raise PullBroken("stalled")

    async def handle(self, messages: Sequence[Msg]) -> bool:
        """Bring every message to one of its ends; False if the database is away."""
        facts: list[tuple[Msg, Fact[Message]]] = []
        for message in messages:
            try:
                facts.append((message, self._subscription.read(message.headers or {}, message.data)))
            except Unreadable as error:
                await self._give_up(message, error)
        if not facts:
            return True
        try:
            await self._effect([fact for _, fact in facts])
        except db.DatabaseUnavailable:
            for message, _ in facts:
                await self._later(message)
            return False
        except Exception as error:  # noqa: BLE001 - one of them is the cause: each one finds its own end
            if len(facts) == 1:
                await self._fail(*facts[0], error)
                return True
            log.info("consumer.one_by_one", consumer=self._durable, facts=len(facts), error=type(error).__name__)
            for message, fact in facts:
                await self._single(message, fact)
            return True
        for message, _ in facts:
            await message.ack()
        return True

    async def _single(self, message: Msg, fact: Fact[Message]) -> None:
        try:
            await self._effect([fact])
        except Exception as error:  # noqa: BLE001 - every error has its end in _fail
            await self._fail(message, fact, error)
        else:
            await message.ack()

    async def _effect(self, facts: Sequence[Fact[Message]]) -> None:
        handled = 0
        actor = system(self._subscription.service, route=self._name)
        async with self._store.begin(actor, once=[fact.id for fact in facts], consumer=self._durable) as tx:
            fresh = set(tx.unit.fresh)
            for fact in facts:
                if fact.id not in fresh:
                    continue
                fresh.remove(fact.id)
                with span(self._name, parent=fact.traceparent):
                    await self._subscription.handle(self._app, tx, fact)
                    log.info(self._name, door="bus", fact=str(fact.id))
                # The next fact may be about the same row: it must see what this one deferred.
                if tx.unit.deferred:
                    await tx.unit.flush()
                handled += 1
        HANDLED.labels(self._durable).inc(handled)
        DUPLICATES.labels(self._durable).inc(len(facts) - handled)

    async def _fail(self, message: Msg, fact: Fact[Message], error: Exception) -> None:
        with span(self._name, parent=fact.traceparent):
            log.warning(self._name, door="bus", fact=str(fact.id), deliveries=_deliveries(message), exc_info=error)
        tired = _deliveries(message) >= MAX_DELIVERIES
        never = isinstance(error, Refusal | Unreadable) and not isinstance(error, Unavailable | Conflict | TooMany)
        if never or (tired and not isinstance(error, Unavailable)):
            await self._give_up(message, error)
        else:
            await self._later(message)

    async def _later(self, message: Msg) -> None:
        DELAYED.labels(self._durable).inc()
        await message.nak(delay=BACKOFF[min(_deliveries(message), len(BACKOFF)) - 1])

    async def _give_up(self, message: Msg, error: Exception) -> None:
        """Park, then ack: as long as the row is not committed, the broker keeps the message."""
        try:
            async with self._store.begin(system(self._subscription.service, route=self._name)) as tx:
                await deadletter.park(
                    await db.driver(tx.unit.connection),
                    self._durable,
                    _identity(message),
                    subject=message.subject,
                    headers=message.headers or {},
                    body=message.data,
                    failure=error,
                    deliveries=_deliveries(message),
                    at=tx.unit.at,
                )
        except Exception as failure:  # noqa: BLE001 - not parked is not acknowledged
            log.error("consumer.cannot_park", consumer=self._durable, exc_info=failure)
            await self._later(message)
            return
        PARKED.labels(self._durable).inc()
        log.error("consumer.parked", consumer=self._durable, fact=str(_identity(message)), reason=_reason(error))
        await message.ack()


def _deliveries(message: Msg) -> int:
    return int(message.metadata.num_delivered or 1)


def _identity(message: Msg) -> UUID:
    """Give the fact's id; what has none is known by its place in the stream."""
    try:
        return UUID((message.headers or {})["ce-id"])
    except (KeyError, ValueError):
        place = f"{message.metadata.stream}:{message.metadata.sequence.stream}:{message.metadata.timestamp}"
        return UUID(bytes=hashlib.sha256(place.encode()).digest()[:16])


def _reason(error: Exception) -> str:
    return deadletter.described(error)[0]
