"""Facts on their way in: what is listened to, what arrived, and what was already handled."""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from google.protobuf.message import Message
from listening import messages
from sqlalchemy.ext.asyncio import AsyncConnection

from common.outbox import Route, route

if TYPE_CHECKING:
    import asyncpg

# Twice as long as any stream keeps a message: even a consumer made anew from the start finds its rows here.
KEEP = timedelta(days=14)

TABLES_1 = (
    """
    create table inbox (
        consumer text not null,
        id uuid not null,
        at timestamptz not null,
        primary key (consumer, id)
    )
    """,
    "create index inbox_at on inbox (at)",
    """
    create table dead_letters (
        consumer text not null,
        id uuid not null,
        subject text not null,
        type text not null,
        body bytea not null,
        headers jsonb not null,
        reason text not null,
        error text not null,
        deliveries integer not null,
        at timestamptz not null,
        replayed_at timestamptz,
        primary key (consumer, id)
    )
    """,
    "create index dead_letters_open on dead_letters (consumer, at, id) where replayed_at is null",
)


# What arrived is not the fact it should be; no retry will make it one.
Unreadable = messages.Unfit


@dataclass(frozen=True, slots=True)
class Fact[M: Message]:
    """Something that happened in another service."""

    id: UUID
    body: M
    time: datetime
    actor: str
    traceparent: str

    def named(self, field: str) -> UUID:
        """Give the thing that a field names by its id."""
        return messages.identity(getattr(self.body, field), field)


@dataclass(frozen=True, slots=True)
class Subscription:
    """One kind of fact, and what this service does about it."""

    service: str
    message: type[Message]
    handle: Callable[[Any, Any, Fact[Any]], Awaitable[None]]

    @property
    def name(self) -> str:
        return str(getattr(self.handle, "__name__", ""))

    @property
    def durable(self) -> str:
        return f"{self.service}-{self.name}"

    @property
    def route(self) -> Route:
        return route(self.message.DESCRIPTOR)

    def read(self, headers: Mapping[str, str], data: bytes) -> Fact[Message]:
        """Read what arrived; anything but this subscription's kind of fact is unreadable."""
        if headers.get("ce-type") != self.message.DESCRIPTOR.full_name:
            raise Unreadable("another type")
        time = messages.moment(headers.get("ce-time", ""), "ce-time")
        fact = messages.identity(headers.get("ce-id", ""), "ce-id")
        body = messages.read(self.message, data)
        return Fact(fact, body, time, headers.get("ce-actor", ""), headers.get("traceparent", ""))


class Subscriptions:
    """What a service listens to; filled by its consumers room."""

    def __init__(self, service: str) -> None:
        self.service = service
        self._all: list[Subscription] = []

    def on[M: Message, H: Callable[..., Awaitable[None]]](self, message: type[M]) -> Callable[[H], H]:
        """Register `async def verb(app, tx, fact)`; its name becomes part of the durable's."""

        def register(handle: H) -> H:
            subscription = Subscription(self.service, message, handle)
            if any(other.durable == subscription.durable for other in self._all):
                raise ValueError(f"{subscription.durable} is registered twice")
            _ = subscription.route
            self._all.append(subscription)
            return handle

        return register

    def __iter__(self) -> Iterator[Subscription]:
        return iter(self._all)


async def fresh(
    connection: "asyncpg.Connection[asyncpg.Record]", consumer: str, ids: Sequence[UUID], at: datetime
) -> frozenset[UUID]:
    """Note these facts as handled, and say which of them were not before."""
    # In order of id: two consumers of one durable that hold the same facts then wait instead of deadlocking.
    rows = await connection.fetch(
        "insert into inbox (consumer, id, at) select $1, u.id, $3 from unnest($2::uuid[]) as u (id) order by u.id "
        "on conflict do nothing returning id",
        consumer,
        ids,
        at,
    )
    return frozenset(row["id"] for row in rows)


async def prune(connection: AsyncConnection, at: datetime) -> None:
    """Forget facts that no stream holds any more."""
    await connection.exec_driver_sql("delete from inbox where at < $1", (at - KEEP,))
