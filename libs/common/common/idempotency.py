"""The same request twice: one effect, the same answer."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sealing import KeyRing, Sealed
from sqlalchemy import Column, LargeBinary, MetaData, Table, Text
from sqlalchemy.ext.asyncio import AsyncConnection

from common.auth import Actor
from common.errors import Invalid

if TYPE_CHECKING:
    import asyncpg

KEEP = timedelta(days=7)
CONSTRAINT = "idempotency_pkey"

TABLES_1 = (
    """
    create table idempotency (
        caller text not null,
        route text not null,
        key text not null,
        request_hash bytea not null,
        answer bytea,
        at timestamptz not null,
        constraint idempotency_pkey primary key (caller, route, key)
    )
    """,
    "create index idempotency_at on idempotency (at)",
)

# what was answered, for whoever seals a service's columns anew
ANSWERS = Sealed(
    Table(
        "idempotency",
        MetaData(),
        *(Column(name, Text, primary_key=True) for name in ("caller", "route", "key")),
        Column("answer", LargeBinary),
    ),
    "answer",
    bound="idempotency:{0}:{1}:{2}",
)

INSERT = """insert into idempotency (caller, route, key, request_hash, answer, at)
values ({caller}, {route}, {key}, {request_hash}, {answer}, {at})"""


class Replayed(Exception):
    """The request was carried out before: this is what it answered then, as JSON."""

    def __init__(self, answer: bytes | None) -> None:
        super().__init__()
        self.answer = answer


class IdempotencyKeyReused(Invalid):
    """The key was used before, for another request."""


@dataclass(frozen=True, slots=True)
class Once:
    """A request that is to be carried out once: who asked for what, under which key."""

    caller: str
    route: str
    key: str
    request_hash: bytes

    @property
    def bound(self) -> str:
        return f"idempotency:{self.caller}:{self.route}:{self.key}"


def once(actor: Actor) -> Once | None:
    """Give the actor's idempotency, if the call carries a key."""
    call = actor.call
    if call.idempotency_key is None:
        return None
    return Once(f"{actor.kind.value}:{actor.id}", call.route, call.idempotency_key, call.request_hash or b"")


async def earlier(connection: "asyncpg.Connection[asyncpg.Record]", request: Once, keys: KeyRing) -> None:
    """Raise the earlier answer if this request was carried out before."""
    row = await connection.fetchrow(
        "select request_hash, answer from idempotency where caller = $1 and route = $2 and key = $3",
        request.caller,
        request.route,
        request.key,
    )
    if row is None:
        return
    if row["request_hash"] != request.request_hash:
        raise IdempotencyKeyReused
    raise Replayed(None if row["answer"] is None else keys.open(row["answer"], bound=request.bound))


async def prune(connection: AsyncConnection, at: datetime) -> None:
    """Forget keys that nobody retries any more."""
    await connection.exec_driver_sql("delete from idempotency where at < $1", (at - KEEP,))
