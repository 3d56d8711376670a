"""PostgreSQL: the engine, its health, and the migrations of the plumbing."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import asyncpg
import orjson
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext, RevisionStep
from alembic.script import ScriptDirectory
from listening.line import FairPool
from sqlalchemy import Connection, event, text
from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlalchemy.exc import TimeoutError as PoolExhausted
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from common import idempotency, inbox, journal, outbox
from common.errors import Conflict, Unavailable

# Tables of ours in every service's database: a comparison of models and migrations leaves them out.
PLUMBING = frozenset({"outbox", "outbox_default", "outbox_streams", "inbox", "journal", "idempotency", "dead_letters"})
MIGRATION_LOCK = 7_411_001
HOUSEKEEPING_LOCK = 7_411_002

AWAY = ("08", "53", "57P", "57014", "58030", "25P03")
CONTENDED = ("40001", "40P01", "55P03")


class DatabaseUnavailable(Unavailable):
    """The database is away or too busy; whether a commit under way succeeded is not known."""


class TransactionContended(Conflict):
    """Others hold what this transaction needs: read again, then retry."""


class _Operations(Protocol):
    def execute(self, sqltext: str) -> None: ...


class Database:
    """One service's database. Connections are in autocommit: `transaction` alone begins and commits."""

    def __init__(self, url: str, pool_size: int = 8) -> None:
        self.engine = create_async_engine(
            url,
            poolclass=FairPool,
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=10,
            isolation_level="AUTOCOMMIT",
            json_serializer=lambda value: orjson.dumps(value).decode(),
            json_deserializer=orjson.loads,
            connect_args={
                "timeout": 10,
                "server_settings": {
                    "timezone": "UTC",
                    "lock_timeout": "10s",
                    "statement_timeout": "30s",
                    "idle_in_transaction_session_timeout": "60s",
                },
            },
        )
        event.listen(self.engine.sync_engine, "checkout", _refuse_dead)
        # Set by the process: tells the relay, after a commit, that facts are waiting.
        self.kick: Callable[[], Awaitable[None]] | None = None

    async def ping(self) -> None:
        """Raise if the database does not answer."""
        async with self.engine.connect() as connection:
            await connection.execute(text("select 1"))

    async def close(self) -> None:
        await self.engine.dispose()


def _refuse_dead(connection: Any, _record: object, _proxy: object) -> None:
    # The driver already knows that its socket is gone; a ping on every checkout would cost a round trip.
    if connection.driver_connection.is_closed():
        raise DisconnectionError


async def driver(connection: AsyncConnection) -> "asyncpg.Connection[asyncpg.Record]":
    """Give asyncpg's connection: for statements written by hand it is the shortest way."""
    found: asyncpg.Connection[asyncpg.Record] = (await connection.get_raw_connection()).driver_connection
    return found


def sqlstate(error: BaseException) -> str:
    """Give the code of a database error, whichever layer raised it; empty for any other error."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    return str(getattr(cause, "sqlstate", None) or "")


def understood(error: Exception, *, lost: bool) -> Exception:
    """Name a database error by what a caller can do about it; any other error stays what it is."""
    # The latter is the driver's word for a server that broke off in the middle of an exchange.
    if isinstance(error, PoolExhausted | asyncpg.InternalClientError):
        return DatabaseUnavailable()
    if isinstance(error, DBAPIError | asyncpg.PostgresError | asyncpg.InterfaceError):
        if lost or sqlstate(error).startswith(AWAY):
            return DatabaseUnavailable()
        if sqlstate(error).startswith(CONTENDED):
            return TransactionContended()
    return error


async def housekeeping(database: Database, at: datetime) -> None:
    """Make room for the coming days and forget what nobody needs any more; each step commits by itself."""
    async with database.engine.connect() as connection:
        if not await connection.scalar(text("select pg_try_advisory_lock(:lock)"), {"lock": HOUSEKEEPING_LOCK}):
            return
        try:
            await outbox.ensure_partitions(connection, at)
            await outbox.drop_partitions(connection, at)
            await inbox.prune(connection, at)
            await idempotency.prune(connection, at)
        finally:
            await connection.execute(text("select pg_advisory_unlock(:lock)"), {"lock": HOUSEKEEPING_LOCK})


def plumbing_1(op: _Operations) -> None:
    """Create the plumbing's tables; a service's first migration calls it with alembic's `op`."""
    for module in (outbox, inbox, journal, idempotency):
        for statement in module.TABLES_1:
            op.execute(statement)


async def migrate(url: str, path: Path, package: str) -> None:
    """Bring the database to the newest revision in `path`; many may try at once, one does it."""
    engine = create_async_engine(url)
    try:
        async with engine.begin() as connection:
            await connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": MIGRATION_LOCK})
            # A migration that cannot get its locks gives way to the work under way, and is tried again.
            await connection.execute(text("set local lock_timeout = '5s'"))
            await connection.execute(text("set local application_name = 'migrate'"))
            await connection.run_sync(_upgrade, path, package)
    finally:
        await engine.dispose()


def _upgrade(connection: Connection, path: Path, package: str) -> None:
    script = ScriptDirectory(str(path), version_locations=[str(path)])
    if script.get_current_head() is None:
        raise ValueError(f"{package} has no migrations in {path.name}")

    def steps(revision: Any, _context: MigrationContext) -> Sequence[RevisionStep]:
        return list(script._upgrade_revs("head", revision))  # noqa: SLF001 - what alembic's own command calls

    with EnvironmentContext(Config(), script, fn=steps, destination_rev="head") as environment:
        environment.configure(connection=connection, transaction_per_migration=False)
        environment.run_migrations()
