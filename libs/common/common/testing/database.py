"""A database of its own for each test, cloned from one that was migrated once."""

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

type MakeDatabase = Callable[..., Awaitable[str]]


class Databases:
    """Templates and their clones on the server that the environment names."""

    def __init__(self, admin_url: str) -> None:
        self._admin_url = admin_url.replace("postgresql+asyncpg://", "postgresql://")
        self._templates: dict[str, str] = {}
        self._ids = Ids()

    async def clone(self, service: str, migrations: Path | None = None) -> str:
        """Make a database with the service's tables and give its address."""
        template = self._templates.get(service)
        if template is None:
            template = f"template_{service}_{self._ids().hex}"
            await self._execute(f"create database {template}")
            await db.migrate(self._url(template), migrations or process.migrations(service), service)
            self._templates[service] = template
        name = f"test_{service}_{self._ids().hex}"
        await self._execute(f"create database {name} template {template}")
        return self._url(name)

    async def drop(self, url: str) -> None:
        await self._execute(f"drop database if exists {url.rpartition('/')[2]} with (force)")

    async def close(self) -> None:
        for template in self._templates.values():
            await self._execute(f"drop database if exists {template} with (force)")

    def _url(self, name: str) -> str:
        return self._admin_url.rpartition("/")[0].replace("postgresql://", "postgresql+asyncpg://") + f"/{name}"

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
    """Give fresh databases: `url = await database("workbench")`."""
    urls: list[str] = []

    async def make(service: str, migrations: Path | None = None) -> str:
        urls.append(await databases.clone(service, migrations))
        return urls[-1]

    yield make
    for url in urls:
        await databases.drop(url)


async def sealed_columns(rows: Callable[[str], Awaitable[Iterable[Any]]], *, digests: Iterable[str] = ()) -> set[str]:
    """Name every binary column of a service's tables; those that are not `digests` hold sealed values."""
    found = {name for (name,) in await rows(_BINARY)} - _PLUMBING
    forgotten = set(digests) - found
    if forgotten:
        raise LookupError(f"no such columns: {forgotten}")
    return found - set(digests)
