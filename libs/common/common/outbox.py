"""Facts on their way out: rows of the change's own transaction, partitioned by day."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any
from uuid import UUID

from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message
from sqlalchemy.ext.asyncio import AsyncConnection
from tongban.options.v1 import event_pb2

if TYPE_CHECKING:
    import asyncpg

KEEP = timedelta(days=7)
AHEAD = timedelta(days=3)
MAX_BODY = 512 * 1024

# A queue's index is all dead rows unless it is vacuumed early and often.
_STORAGE = "with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0)"

TABLES_1 = (
    """
    create table outbox (
        id uuid not null,
        created_at timestamptz not null,
        subject text not null,
        type text not null,
        body bytea not null,
        headers jsonb not null,
        published_at timestamptz,
        stream text,
        seq bigint,
        primary key (created_at, id)
    ) partition by range (created_at)
    """,
    "create index outbox_unpublished on outbox (created_at, id) where published_at is null",
    f"create table outbox_default partition of outbox default {_STORAGE}",
    # What we last knew of the stream: the broker may forget, and then this tells.
    "create table outbox_streams (stream text primary key, created text not null, seq bigint not null)",
)

# The rows of a flush, as one member of its common table expression.
INSERT = """insert into outbox (id, created_at, subject, type, body, headers)
select u.id, {at}, u.subject, u.type, u.body, u.headers
from unnest({ids}::uuid[], {subjects}::text[], {types}::text[], {bodies}::bytea[], {headers}::jsonb[])
as u (id, subject, type, body, headers)"""

_KEY = re.compile(r"[A-Za-z0-9_-]{1,128}")


class NotAFact(TypeError):
    """The message carries no event option: it does not travel on the bus."""


@dataclass(frozen=True, slots=True)
class Route:
    """How a kind of fact travels, computed from its descriptor."""

    service: str
    prefix: str
    key: str

    @property
    def stream(self) -> str:
        return stream_of(self.service)

    @property
    def filter(self) -> str:
        return f"{self.prefix}.*"


def stream_of(service: str) -> str:
    return f"EVT_{service.upper()}"


@cache
def route(descriptor: Descriptor) -> Route:
    """Give the route of a kind of fact."""
    option = descriptor.GetOptions().Extensions[event_pb2.event]
    if not option.subject:
        raise NotAFact(descriptor.full_name)
    _, service, version = descriptor.file.package.split(".")
    return Route(service, f"evt.{service}.{version}.{option.subject}", option.key)


def subject(message: Message) -> str:
    """Give the subject a fact is published under; its last token is the entity."""
    way = route(message.DESCRIPTOR)
    key = str(getattr(message, way.key))
    if _KEY.fullmatch(key) is None:
        raise ValueError(f"{message.DESCRIPTOR.full_name}.{way.key} cannot close a subject")
    return f"{way.prefix}.{key}"


def body(message: Message) -> bytes:
    """Serialise a fact; one too large for the bus is refused here, where it can still be rolled back."""
    written = message.SerializeToString(deterministic=True)
    if len(written) > MAX_BODY:
        raise ValueError(f"{message.DESCRIPTOR.full_name} has {len(written)} bytes")
    return written


async def pending(connection: "asyncpg.Connection[asyncpg.Record]") -> int:
    """Count the facts that wait for the relay."""
    counted: int = await connection.fetchval("select count(*) from outbox where published_at is null")
    return counted


async def claim(connection: "asyncpg.Connection[asyncpg.Record]", limit: int) -> Sequence[Any]:
    """Take the oldest waiting facts; other relays pass them by until this transaction ends."""
    rows: list[asyncpg.Record] = await connection.fetch(
        "select id, created_at, subject, type, body, headers from outbox where published_at is null "
        "order by created_at, id limit $1 for update skip locked",
        limit,
    )
    return rows


async def mark(
    connection: "asyncpg.Connection[asyncpg.Record]", stream: str, published: Sequence[tuple[UUID, datetime, int]]
) -> None:
    """Note where each fact stands in its stream."""
    await connection.fetch(
        "with marked as (update outbox set published_at = now(), stream = $1, seq = p.seq "
        "from unnest($2::uuid[], $3::timestamptz[], $4::bigint[]) as p (id, created_at, seq) "
        "where outbox.id = p.id and outbox.created_at = p.created_at) "
        "update outbox_streams set seq = greatest(seq, $5) where stream = $1",
        stream,
        [row[0] for row in published],
        [row[1] for row in published],
        [row[2] for row in published],
        max(row[2] for row in published),
    )


async def hold(connection: "asyncpg.Connection[asyncpg.Record]", stream: str) -> tuple[str, int]:
    """Lock and give what is known of the stream: when it was made, and the highest sequence it gave us."""
    row = await connection.fetchrow(
        "insert into outbox_streams (stream, created, seq) values ($1, '', 0) "
        "on conflict (stream) do update set stream = excluded.stream returning created, seq",
        stream,
    )
    return row["created"], row["seq"]


async def regress(
    connection: "asyncpg.Connection[asyncpg.Record]", stream: str, known: tuple[str, int], created: str, last_seq: int
) -> int:
    """Compare what the broker holds with what is known; facts it lost wait for the relay again."""
    before, highest = known
    lost = 0
    if before and (before != created or highest > last_seq):
        await connection.execute("set local statement_timeout = '15min'")
        tag = await connection.execute(
            "update outbox set published_at = null, stream = null, seq = null "
            "where published_at is not null and seq > $1",
            last_seq if before == created else 0,
        )
        lost = int(tag.rpartition(" ")[2])
    await connection.execute(
        "update outbox_streams set created = $2, seq = $3 where stream = $1", stream, created, last_seq
    )
    return lost


async def ensure_partitions(connection: AsyncConnection, at: datetime) -> None:
    """Create the coming days' partitions; a day that already has rows in the default one stays there."""
    today = at.astimezone(UTC).date()
    for ahead in range(AHEAD.days + 1):
        day = today + timedelta(days=ahead)
        start, end = _midnight(day), _midnight(day + timedelta(days=1))
        held = await connection.exec_driver_sql(
            "select 1 from outbox_default where created_at >= $1 and created_at < $2 limit 1", (start, end)
        )
        if held.first() is None:
            await connection.exec_driver_sql(
                f"create table if not exists {_partition(day)} partition of outbox "
                f"for values from ('{start.isoformat()}') to ('{end.isoformat()}') {_STORAGE}"
            )


async def drop_partitions(connection: AsyncConnection, at: datetime) -> None:
    """Forget days that no stream can need again; a fact that was never published is never forgotten."""
    oldest = _midnight((at - KEEP).astimezone(UTC).date())
    await connection.exec_driver_sql(
        "delete from outbox_default where created_at < $1 and published_at is not null", (oldest,)
    )
    found = await connection.exec_driver_sql(
        "select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid "
        "where i.inhparent = 'outbox'::regclass and c.relname ~ '^outbox_[0-9]{8}$' order by c.relname"
    )
    for (name,) in found.all():
        if name >= _partition(oldest.date()):
            break
        waiting = await connection.exec_driver_sql(f"select 1 from {name} where published_at is null limit 1")  # noqa: S608 - our own partition
        if waiting.first() is None:
            await connection.exec_driver_sql(f"drop table {name}")


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, UTC)


def _partition(day: date) -> str:
    return f"outbox_{day:%Y%m%d}"
