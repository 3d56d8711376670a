"""Seals a journal in blocks that hang together: whoever changes, removes or slips in an entry is found out.

A chain from entry to entry would put all writers in one line. So a job comes behind them: it takes the entries that
have settled and stand in no block yet, and writes a block of their ids with a digest over their content and the block
before. The digest is a MAC under the service's own key: whoever has the database alone cannot make a new one.
"""

import hashlib
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

from sealing import KeyRing
from sqlalchemy import ARRAY, Uuid, bindparam, text
from sqlalchemy.ext.asyncio import AsyncConnection

TABLES_1 = (
    """
    create table journal_blocks (
        number bigint primary key,
        sealed_at timestamptz not null,
        upto uuid not null,
        ids uuid[] not null,
        digest text not null
    )
    """,
)
EVERY = timedelta(minutes=5)
# longer than any transaction lasts: what was written before that is there
SETTLED = timedelta(minutes=2)
# how far behind the newest sealed entry an older one may still turn up
LATE = timedelta(hours=1)
MOST = 1_000
TABLE = "journal_blocks"
NOBODY = UUID(int=0)

# one job at a time; a replica that finds it taken comes again
_LOCK = text("select pg_try_advisory_xact_lock(72014)")
_LAST = text("select number, upto, digest from journal_blocks order by number desc limit 1")
_UNSEALED = text(
    "select j.id from journal j"
    " left join (select unnest(ids) as id from journal_blocks where upto > :since) s on s.id = j.id"
    " where s.id is null and j.id > :since and j.id < :until order by j.id limit :most"
).bindparams(bindparam("since", type_=Uuid()), bindparam("until", type_=Uuid()))
# jsonb is spelt in one way only, and moments in it by ISO 8601
_DIGESTS = text(
    "select id, sha256(convert_to(jsonb_build_array(id, at at time zone 'UTC', act, actor_kind, actor_id, post_id,"
    " org_path, subject_kind, subject_id, owner_id, purpose, trace_id, details)::text, 'UTF8'))"
    " from journal where id = any(:ids)"
).bindparams(bindparam("ids", type_=ARRAY(Uuid())))
_WRITE = text("insert into journal_blocks values (:number, :at, :upto, :ids, :digest)").bindparams(
    bindparam("upto", type_=Uuid()), bindparam("ids", type_=ARRAY(Uuid()))
)
_BLOCK = text(
    "select number, sealed_at, ids, digest from journal_blocks where number > :number order by number limit 1"
)
_ASTRAY = text(
    "select j.id from journal j left join (select unnest(ids) as id from journal_blocks) s on s.id = j.id"
    " where s.id is null and j.id < :until order by j.id limit :most"
).bindparams(bindparam("until", type_=Uuid()))
_WAITING = text(
    "select count(*), min(j.at) from journal j left join (select unnest(ids) as id from journal_blocks) s"
    " on s.id = j.id where s.id is null and j.id >= :until"
).bindparams(bindparam("until", type_=Uuid()))


class Unit(Protocol):
    """What a transaction has that a journal is sealed in."""

    connection: AsyncConnection
    keys: KeyRing
    at: datetime


class Tx(Protocol):
    """What a service's store opens."""

    @property
    def unit(self) -> Unit: ...


type Begin = Callable[[], AbstractAsyncContextManager[Tx]]


async def seal(begin: Begin, told: Callable[..., object]) -> None:
    """Seal all that has settled, block after block; each is told, so that its digest also stands elsewhere."""
    while True:
        async with begin() as tx:
            sealed = await _seal_one(tx.unit)
        if sealed is None:
            return
        number, entries, digest = sealed
        told(block=number, entries=entries, digest=digest)
        if entries < MOST:
            return


async def _seal_one(unit: Unit) -> tuple[int, int, str] | None:
    connection = unit.connection
    if not await connection.scalar(_LOCK):
        return None
    last = (await connection.execute(_LAST)).first()
    number, upto, before = (last.number, last.upto, last.digest) if last else (0, NOBODY, "")
    asked = {"since": _behind(upto), "until": _id_of(unit.at - SETTLED), "most": MOST}
    ids = [row[0] for row in await connection.execute(_UNSEALED, asked)]
    if not ids:
        return None
    digest = _digest(unit.keys, before, number + 1, ids, await _digests(connection, ids))
    block = {"number": number + 1, "at": unit.at, "upto": max(upto, ids[-1]), "ids": ids, "digest": digest}
    await connection.execute(_WRITE, block)
    return number + 1, len(ids), digest


async def verify(begin: Begin, told: Callable[[str], object]) -> int:
    """Go through all blocks; tell what is wrong and where the chain ends. Gives the number of faults."""
    faults = 0
    async with begin() as tx:
        number, digest = 0, ""
        async for fault, number, digest in _faults(tx.unit):  # noqa: B007 - the last one is told at the end
            if fault:
                faults += 1
                told(fault)
        # entries that a job which is behind has still to seal are no fault
        until = _id_of(tx.unit.at - SETTLED - LATE)
        for row in await tx.unit.connection.execute(_ASTRAY, {"until": until, "most": MOST}):
            faults += 1
            told(f"entry {row[0]} stands in no block")
        waiting, oldest = (await tx.unit.connection.execute(_WAITING, {"until": until})).one()
        when = f" ({_round(oldest, tx.unit.at)})" if waiting else ""
        told(f"{number} blocks, {faults} faults, {waiting} entries wait{when}; the last digest is {digest or 'none'}")
    return faults


def _round(oldest: datetime, now: datetime) -> str:
    """When the next block is due, or since when it is."""
    due = oldest + SETTLED + EVERY
    stands = "the next block is due by" if due >= now else "is the service up? A block is due since"
    return f"{stands} {due.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC: a round every {EVERY}, of what is {SETTLED} old"


async def _faults(unit: Unit) -> AsyncIterator[tuple[str, int, str]]:
    number, before = 0, ""
    while block := (await unit.connection.execute(_BLOCK, {"number": number})).first():
        if block.number != number + 1:
            yield f"block {number + 1} is gone", block.number, block.digest
        found = await _digests(unit.connection, block.ids)
        gone = [each for each in block.ids if each not in found]
        for each in gone:
            yield f"block {block.number}: entry {each} is gone", block.number, block.digest
        changed = not gone and _digest(unit.keys, before, block.number, block.ids, found) != block.digest
        yield (f"block {block.number} was changed" if changed else ""), block.number, block.digest
        number, before = block.number, block.digest


async def _digests(connection: AsyncConnection, ids: Sequence[UUID]) -> dict[UUID, bytes]:
    return {row[0]: row[1] for row in await connection.execute(_DIGESTS, {"ids": list(ids)})}


def _digest(keys: KeyRing, before: str, number: int, ids: Sequence[UUID], found: dict[UUID, bytes]) -> str:
    content = hashlib.sha256(f"{number} {before}".encode())
    for each in ids:
        content.update(each.bytes + found[each])
    return keys.blind(content.hexdigest(), field=TABLE).hex()


def _id_of(moment: datetime) -> UUID:
    """The smallest id (UUIDv7) of that moment: ids are in the order of time."""
    return UUID(int=max(0, int(moment.timestamp() * 1000)) << 80)


def _behind(upto: UUID) -> UUID:
    late = int(LATE.total_seconds() * 1000)
    return UUID(int=max(0, (upto.int >> 80) - late) << 80)


def migration(op: Any) -> None:
    """Create the table of blocks; a migration calls it with alembic's `op`."""
    for statement in TABLES_1:
        op.execute(statement)
