"""A database of its own for each test: cloned from one that was migrated once, or emptied after an earlier test."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from common import db, process
from common.testing.world import Ids

# what the plumbing keeps of messages and requests
_PLUMBING = {"idempotency.request_hash", "outbox.body", "dead_letters.body"}
_BINARY = """
    SELECT table_name || '.' || column_name FROM information_schema.columns c
    JOIN information_schema.tables t USING (table_schema, table_name)
    WHERE c.data_type = 'bytea' AND c.table_schema = 'public' AND t.table_type = 'BASE TABLE'
    AND NOT EXISTS (SELECT FROM pg_inherits WHERE inhrelid = quote_ident(table_name)::regclass)
"""
# everything that a statement on the schema would change
_SHAPE = """
    SELECT md5(string_agg(told, ',' ORDER BY told)) FROM (
        SELECT concat_ws(' ', 'class', oid, relname, relkind, relnatts, relchecks, reloptions) FROM pg_class
        WHERE relnamespace = 'public'::regnamespace
        UNION ALL SELECT concat_ws(' ', 'column', attrelid, attname, atttypid, attnotnull) FROM pg_attribute
        JOIN pg_class ON attrelid = pg_class.oid WHERE relnamespace = 'public'::regnamespace
        UNION ALL SELECT concat_ws(' ', 'constraint', oid, convalidated) FROM pg_constraint
        UNION ALL SELECT concat_ws(' ', 'trigger', oid, tgenabled) FROM pg_trigger
        UNION ALL SELECT concat_ws(' ', 'function', oid, xmin) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
    ) AS shape (told)
"""
# a test with so much in it leaves a database that the next one would feel
_LARGEST = 16 << 20
_EMPTY = """
    DO $$
    DECLARE each regclass;
    BEGIN
        SET LOCAL session_replication_role = replica;  -- no trigger keeps a journal from being emptied
        FOR each IN SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
            AND relname <> 'alembic_version'
        LOOP EXECUTE format('DELETE FROM %s', each); END LOOP;
        FOR each IN SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'S'
        LOOP EXECUTE format('ALTER SEQUENCE %s RESTART', each); END LOOP;
    END $$
"""
_ROWS = """
    SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
    AND relname <> 'alembic_version' AND pg_relation_size(oid) > 0
"""

type MakeDatabase = Callable[..., Awaitable[str]]


class Databases:
    """Templates and their clones on the server that the environment names.

    Cloning costs more than most tests: a clone is nine megabytes of catalogues. What a test leaves is emptied for the
    next one, unless the test has changed more than rows.
    """

    def __init__(self, admin_url: str) -> None:
        self._admin_url = admin_url.replace("postgresql+asyncpg://", "postgresql://")
        self._templates: dict[str, str] = {}
        self._shapes: dict[str, str] = {}
        self._idle: dict[str, list[str]] = {}
        self._ids = Ids()

    async def take(self, service: str, migrations: Path | None = None) -> str:
        """Give the address of a database with the service's tables, without a row in them."""
        if self._idle.get(service):
            name = self._idle[service].pop()
            await self._execute(f"alter database {name} allow_connections true")
            return self._url(name)
        if service not in self._templates:
            await self._make_template(service, migrations or process.migrations(service))
        name = f"test_{service}_{self._ids().hex}"
        await self._execute(f"create database {name} template {self._templates[service]}")
        return self._url(name)

    async def give_back(self, service: str, url: str) -> None:
        """Empty a database for the next test; forget it if emptying does not make it what it was."""
        name = url.rpartition("/")[2]
        if await self._empty(name) == self._shapes[service]:
            self._idle.setdefault(service, []).append(name)
        else:
            await self._execute(f"drop database if exists {name} with (force)")

    async def close(self) -> None:
        for name in (*self._templates.values(), *(name for idle in self._idle.values() for name in idle)):
            await self._execute(f"drop database if exists {name} with (force)")

    async def _make_template(self, service: str, migrations: Path) -> None:
        name = f"template_{service}_{self._ids().hex}"
        await self._execute(f"create database {name}")
        await db.migrate(self._url(name), migrations, service)
        connection = await asyncpg.connect(self._plain(name))
        try:
            if rows := await connection.fetch(_ROWS):
                raise LookupError(f"emptying would lose what the migrations wrote: {[row['relname'] for row in rows]}")
            self._shapes[service] = await connection.fetchval(_SHAPE)
        finally:
            await connection.close()
        self._templates[service] = name

    async def _empty(self, name: str) -> str:
        """Empty it, let nobody in until it is taken again, and tell its shape; none if it is gone or has grown."""
        try:
            connection = await asyncpg.connect(self._plain(name))
        except asyncpg.InvalidCatalogNameError:
            return ""
        try:
            # a service may live a moment longer than its database; what it still writes must not meet the next test
            await self._execute(f"alter database {name} allow_connections false")
            await connection.execute(
                "select pg_terminate_backend(pid, 5000) from pg_stat_activity "
                "where datname = current_database() and pid <> pg_backend_pid()"
            )
            if await connection.fetchval("select pg_database_size(current_database())") > _LARGEST:
                return ""
            await connection.execute(_EMPTY)
            return str(await connection.fetchval(_SHAPE))
        finally:
            await connection.close()

    def _plain(self, name: str) -> str:
        return f"{self._admin_url.rpartition('/')[0]}/{name}"

    def _url(self, name: str) -> str:
        return self._plain(name).replace("postgresql://", "postgresql+asyncpg://")

    async def _execute(self, statement: str) -> None:
        connection = await asyncpg.connect(self._admin_url)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()


@pytest.fixture(scope="session")
async def databases() -> AsyncIterator[Databases]:
    """Keep the templates of this run."""
    made = Databases(os.environ["TONGBAN_POSTGRES_ADMIN_URL"])
    yield made
    await made.close()


@pytest.fixture
async def database(databases: Databases) -> AsyncIterator[MakeDatabase]:
    """Give empty databases: `url = await database("workbench")`."""
    taken: list[tuple[str, str]] = []

    async def take(service: str, migrations: Path | None = None) -> str:
        url = await databases.take(service, migrations)
        taken.append((service, url))
        return url

    yield take
    for service, url in taken:
        await databases.give_back(service, url)


async def sealed_columns(rows: Callable[[str], Awaitable[Iterable[Any]]], *, digests: Iterable[str] = ()) -> set[str]:
    """Name every binary column of a service's tables; those that are not `digests` hold sealed values."""
    found = {name for (name,) in await rows(_BINARY)} - _PLUMBING
    forgotten = set(digests) - found
    if forgotten:
        raise LookupError(f"no such columns: {forgotten}")
    return found - set(digests)
