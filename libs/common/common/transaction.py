"""The only thing that commits: state, facts, journal and answer, all or nothing.

A transaction is BEGIN, whatever the use case reads and writes on `connection`, one flush, COMMIT. The flush
is one statement: a common table expression of the deferred writes, the facts, the journal and the idempotency row.

When the connection is lost during COMMIT nobody knows what happened. The caller gets `DatabaseUnavailable` and
simply tries again: the inbox and the idempotency row, which stand in the same transaction, know.
"""

import re
from asyncio import CancelledError
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from functools import cache, lru_cache, partial
from typing import Any, cast
from uuid import UUID

import asyncpg
import orjson
from google.protobuf.message import Message
from pydantic import TypeAdapter
from sealing import KeyRing
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from common import db, idempotency, inbox, journal, outbox
from common.auth import Actor
from common.db import Database
from common.errors import Conflict, Refusal
from common.telemetry import log, trace_id, traceparent

_PARAMETER = re.compile(r"(?<![:\w]):([a-z_]\w*)")
_UNIQUE = "23505"


class RowChanged(Conflict):
    """A row was changed by somebody else meanwhile."""


class CommitRefused(Exception):
    """The database rolled back what should have been committed: an error inside was swallowed."""


class Transaction:
    """One unit of work, open between `begin` and the end of its block."""

    __slots__ = ("_answer", "_answered", "_driver", "_emitted", "_facts", "_journal", "_once", "_writes", "actor",
                 "at", "connection", "fresh", "ids", "keys", "service")  # fmt: skip

    def __init__(
        self,
        connection: AsyncConnection,
        driver: "asyncpg.Connection[asyncpg.Record]",
        *,
        service: str,
        at: datetime,
        ids: Callable[[], UUID],
        actor: Actor,
        keys: KeyRing,
    ) -> None:
        self.connection = connection
        self.service = service
        self.at = at
        self.ids = ids
        self.actor = actor
        self.keys = keys
        # Of the facts this transaction was begun for: those that were not handled before.
        self.fresh: frozenset[UUID] = frozenset()
        self._driver = driver
        self._once = idempotency.once(actor)
        self._answer: bytes | None = None
        self._facts: list[tuple[UUID, str, str, bytes, str]] = []
        self._journal: list[tuple[UUID, str, str, str, str | None, str | None, str, str]] = []
        self._writes: list[tuple[str, str, int | None, Mapping[str, Any]]] = []
        self._emitted = False

    def emit(self, message: Message) -> None:
        """Tell the world a fact of ours, once this is committed."""
        way = outbox.route(message.DESCRIPTOR)
        if way.service != self.service:
            raise ValueError(f"{message.DESCRIPTOR.full_name} is a fact of {way.service}, not of {self.service}")
        headers = {"ce-actor": f"{self.actor.kind.value}:{self.actor.id}", "traceparent": traceparent()}
        self._facts.append(
            (
                self.ids(),
                outbox.subject(message),
                message.DESCRIPTOR.full_name,
                outbox.body(message),
                orjson.dumps(headers).decode(),
            )
        )

    def record(
        self,
        act: str,
        *,
        subject: tuple[str, str],
        owner: str | None = None,
        purpose: str | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        """Journal an act; `owner` is the person whose data it concerns and who may read the entry."""
        purpose = purpose if purpose is not None else self.actor.call.purpose
        trace = trace_id() or self.actor.call.trace_id
        self._journal.append((self.ids(), act, *subject, owner, purpose, trace, journal.written(details or {})))

    def write(self, name: str, sql: str, *, rows: int | None, **params: object) -> None:
        """Defer one insert, update or delete to the flush. It names its parameters `:so` and ends in `returning 1`.

        `rows` is how many it must touch; any other number rolls everything back with `RowChanged`.
        All statements of one flush see the database as it was before the flush: a deferred write sees neither
        the effect of another one nor may it touch the same row. What must see it goes through `connection`, or
        after `await flush()`.
        """
        self._writes.append((name, sql, rows, params))

    def answer[T](self, value: T) -> T:
        """Keep the answer for a repetition of this request, and hand it on."""
        if self._once is not None:
            self._answer = self.keys.seal(_adapter(cast("type", type(value))).dump_json(value), bound=self._once.bound)
        return value

    @property
    def deferred(self) -> bool:
        """Say whether writes are waiting for the flush."""
        return bool(self._writes)

    async def flush(self, *, last: bool = False) -> None:
        """Send what was buffered, as one statement; the end of the block does this by itself."""
        request = self._once if last else None
        if not (self._writes or self._facts or self._journal or request):
            return
        shape = tuple((name, sql) for name, sql, _, _ in self._writes)
        text, names = _statement(shape, facts=bool(self._facts), acts=bool(self._journal), request=request is not None)
        arguments: list[Any] = [
            _plain(params[name]) for (_, _, _, params), used in zip(self._writes, names, strict=True) for name in used
        ]
        if self._facts:
            arguments += [self.at, *_columns(self._facts)]
        if self._journal:
            post = self.actor.post
            arguments += [
                self.at,
                self.actor.kind.value,
                self.actor.id,
                post.id if post else None,
                post.org_path if post else None,
                *_columns(self._journal),
            ]
        if request is not None:
            arguments += [request.caller, request.route, request.key, request.request_hash, self._answer, self.at]
        touched = await self._driver.fetchrow(text, *arguments)
        for (name, _, rows, _), count in zip(self._writes, touched, strict=False):
            if rows is not None and count != rows:
                raise RowChanged(write=name)
        self._emitted = self._emitted or bool(self._facts)
        self._facts, self._journal, self._writes = [], [], []


@asynccontextmanager
async def begin(
    database: Database,
    *,
    service: str,
    at: datetime,
    ids: Callable[[], UUID],
    actor: Actor,
    keys: KeyRing,
    once: Sequence[UUID] = (),
    consumer: str = "",
) -> AsyncIterator[Transaction]:
    """Open a unit of work; leaving the block commits it, an exception rolls it back.

    A request that was carried out before ends in `Replayed`. Nothing is looked up for that while all goes well:
    the repetition gives itself away by a refusal, or by the clash of its idempotency row.
    """
    try:
        async with plain(database) as connection:
            driver = await db.driver(connection)
            unit = Transaction(connection, driver, service=service, at=at, ids=ids, actor=actor, keys=keys)
            if once:
                unit.fresh = await inbox.fresh(driver, consumer, once, at)
            yield unit
            await unit.flush(last=True)
    except (Refusal, DBAPIError, asyncpg.UniqueViolationError) as error:
        request = idempotency.once(actor)
        if request is not None and (isinstance(error, Refusal) or db.sqlstate(error) == _UNIQUE):
            await _replay(database, request, keys)
        raise
    if unit._emitted and database.kick is not None:  # noqa: SLF001 - our own class, hidden from services only
        try:
            await database.kick()
        except Exception as error:  # noqa: BLE001 - the relay looks by itself every second
            log.warning("transaction.kick_failed", error=type(error).__name__)


@asynccontextmanager
async def plain(database: Database) -> AsyncIterator[AsyncConnection]:
    """Begin and commit, with nothing buffered: for the plumbing itself."""
    try:
        connection = await database.engine.connect()
    except (OSError, TimeoutError, DBAPIError, asyncpg.PostgresError) as error:
        raise db.DatabaseUnavailable from error
    except Exception as error:
        raise db.understood(error, lost=False) from error
    try:
        driver = await db.driver(connection)
        try:
            await driver.execute("begin")
            yield connection
            await _commit(driver)
        except Exception as error:
            meant = db.understood(error, lost=driver.is_closed())
            await _roll_back(connection, driver)
            if meant is error:
                raise
            raise meant from error
        except (CancelledError, GeneratorExit):
            # In the middle of what, nobody knows: the server ends the transaction with its connection.
            await connection.invalidate()
            raise
    finally:
        await connection.close()


async def _commit(driver: "asyncpg.Connection[asyncpg.Record]") -> None:
    if await driver.execute("commit") != "COMMIT":
        raise CommitRefused


async def _roll_back(connection: AsyncConnection, driver: "asyncpg.Connection[asyncpg.Record]") -> None:
    try:
        await driver.execute("rollback")
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError):
        await connection.invalidate()


async def _replay(database: Database, request: idempotency.Once, keys: KeyRing) -> None:
    # While the database is away nobody knows whether this was answered before: then that is the answer.
    async with plain(database) as connection:
        await idempotency.earlier(await db.driver(connection), request, keys)


@lru_cache(maxsize=512)
def _statement(
    shape: tuple[tuple[str, str], ...], *, facts: bool, acts: bool, request: bool
) -> tuple[str, tuple[tuple[str, ...], ...]]:
    """Compose the flush: the same shape always gives the same text, so the driver prepares it once."""
    members: list[str] = []
    names: list[tuple[str, ...]] = []
    used = 0

    def places(*wanted: str) -> dict[str, str]:
        nonlocal used
        numbered = {name: f"${used + place}" for place, name in enumerate(wanted, 1)}
        used += len(wanted)
        return numbered

    for position, (name, sql) in enumerate(shape):
        wanted = tuple(dict.fromkeys(_PARAMETER.findall(sql)))
        numbered = places(*wanted)
        written = _PARAMETER.sub(partial(_placed, numbered), sql)
        members.append(f"w{position} /* {name} */ as ({written})")
        names.append(wanted)
    if facts:
        at = places("at", "ids", "subjects", "types", "bodies", "headers")
        members.append(f"facts as ({outbox.INSERT.format(**at)})")
    if acts:
        at = places("at", "actor_kind", "actor_id", "post_id", "org_path", "ids", "acts",
                    "subject_kinds", "subject_ids", "owners", "purposes", "trace_ids", "details")  # fmt: skip
        members.append(f"acts as ({journal.INSERT.format(**at)})")
    if request:
        at = places("caller", "route", "key", "request_hash", "answer", "at")
        members.append(f"request as ({idempotency.INSERT.format(**at)})")
    counts = ", ".join(f"(select count(*) from w{position})" for position in range(len(shape))) or "1"  # noqa: S608 - numbers alone
    return f"with {', '.join(members)} select {counts}", tuple(names)


def _placed(numbered: Mapping[str, str], found: re.Match[str]) -> str:
    return numbered[found[1]]


def _columns(rows: Sequence[tuple[Any, ...]]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]


def _plain(value: object) -> object:
    return orjson.dumps(value).decode() if isinstance(value, Mapping) else value


@cache
def _adapter(kind: type) -> TypeAdapter[Any]:
    return TypeAdapter(kind)
