"""A journal in a database of its own."""

import os
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from chaining import migration
from common import journal
from sealing import KeyRing
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
ENTRY = (
    "insert into journal (id, at, act, actor_kind, actor_id, subject_kind, subject_id, trace_id, details)"
    " values ($1, $2, 'tickets.assign', 'officer', 'e1', 'ticket', $3, 't', '{\"b\": 1, \"a\": [2]}')"
)


@dataclass
class Unit:
    connection: AsyncConnection
    keys: KeyRing
    at: datetime


@dataclass
class Tx:
    unit: Unit


@dataclass
class Journal:
    url: str
    keys: KeyRing
    at: datetime = NOON
    sealed: list[dict[str, Any]] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def __post_init__(self):
        self.engine = create_async_engine(self.url.replace("postgresql://", "postgresql+asyncpg://"))

    @asynccontextmanager
    async def begin(self):
        async with self.engine.begin() as connection:
            yield Tx(Unit(connection, self.keys, self.at))

    def told(self, **block):
        self.sealed.append(block)

    async def sql(self, query, *values):
        connection = await asyncpg.connect(self.url)
        try:
            return await connection.fetch(query, *values)
        finally:
            await connection.close()

    async def write(self, ago, serial=0):
        """An entry of so long ago."""
        at = self.at - ago
        entry = UUID(int=(int(at.timestamp() * 1000) << 80) | (7 << 76) | (2 << 62) | uuid4().int % (1 << 60))
        await self.sql(ENTRY, entry, at, str(serial))
        return entry


class Plain:
    """What a migration is given, for statements gathered."""

    def __init__(self):
        self.statements = list(journal.TABLES_1)

    def execute(self, statement):
        self.statements.append(statement)


@pytest.fixture
async def kept():
    admin = os.environ["TONGBAN_POSTGRES_ADMIN_URL"].replace("+asyncpg", "")
    name = f"chaining_{uuid4().hex}"
    connection = await asyncpg.connect(admin)
    await connection.execute(f"create database {name}")
    key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
    made = Journal(f"{admin.rpartition('/')[0]}/{name}", KeyRing.from_settings({"k1": key}, key))
    plain = Plain()
    migration(plain)
    for statement in plain.statements:
        await made.sql(statement)
    for minute in range(25, 5, -1):
        await made.write(timedelta(minutes=minute), minute)
    yield made
    await made.engine.dispose()
    await connection.execute(f"drop database {name} with (force)")
    await connection.close()
