"""Opens the service, on a database and a broker of its own for each test."""

import base64

import asyncpg
import pytest
from google.protobuf import symbol_database
from verification import main
from verification.settings import Settings

from .accounts_door import Accounts
from .town import Town, staffed

pytest_plugins = ["common.testing"]


@pytest.fixture
async def database_url(database):
    return await database("verification")


@pytest.fixture
async def town(*, database_url, issuer, open_house, bus, broker, clock):
    """The service, open, and the officers' posts at accounts."""
    await bus.ensure_stream("accounts")
    async with Accounts().serve() as accounts:
        staffed(accounts)
        settings = Settings(
            database_url=database_url,
            nats_url=broker.url,
            keycloak_url=issuer.url,
            data_keys={"k1": base64.b64encode(b"1" * 32).decode()},
            index_key=base64.b64encode(b"2" * 32).decode(),
            accounts_grpc=accounts.target,
            http_port=0,
            grpc_port=0,
        )
        living = await open_house(main.opened, main.house, settings, parts=("doors", "consumers"))
        yield Town(living, issuer, clock, accounts)


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
        kind = symbol_database.Default().GetSymbol(f"tongban.verification.v1.{name}")
        found = await rows("SELECT body FROM outbox WHERE type = $1 ORDER BY created_at, id", kind.DESCRIPTOR.full_name)
        return [kind.FromString(row["body"]) for row in found]

    return emitted
