"""Opens the service on a database of its own for each test."""

import base64
from datetime import UTC

import asyncpg
import pytest
from accounts import main
from accounts.settings import Settings
from google.protobuf import symbol_database

from .city import City

pytest_plugins = ["common.testing"]

KEYS = {"k1": base64.b64encode(b"1" * 32).decode()}


@pytest.fixture
async def database_url(database):
    return await database("accounts")


@pytest.fixture
def settings(database_url, issuer):
    """Settings of the run, but for the database and the issuer of tokens."""

    def made(**other):
        return Settings(
            **{
                "database_url": database_url,
                "keycloak_url": issuer.url,
                "data_keys": KEYS,
                "index_key": base64.b64encode(b"2" * 32).decode(),
                "http_port": 0,
                "grpc_port": 0,
                "demo": False,
                **other,
            }
        )

    return made


@pytest.fixture
async def city(settings, issuer, open_house, clock):
    """The service, open, with the organisations of a small city and their officers."""
    clock.set(clock().astimezone(UTC))
    living = await open_house(main.opened, main.house, settings(), parts=("doors",))
    city = City(living, issuer, clock)
    await city.settle()
    return city


@pytest.fixture
async def rows(database_url):
    """Reads the tables as they lie on the disk."""
    connection = await asyncpg.connect(database_url.replace("+asyncpg", ""))
    yield connection.fetch
    await connection.close()


@pytest.fixture
async def facts(rows):
    """What was emitted, of one kind, in order."""

    async def emitted(name):
        kind = symbol_database.Default().GetSymbol(f"tongban.accounts.v1.{name}")
        found = await rows("SELECT body FROM outbox WHERE type = $1 ORDER BY created_at, id", kind.DESCRIPTOR.full_name)
        return [kind.FromString(row["body"]) for row in found]

    return emitted
