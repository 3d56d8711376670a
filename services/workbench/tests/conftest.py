"""Opens the service, on a database and a broker of its own for each test."""

import base64

import asyncpg
import pytest
from google.protobuf import symbol_database
from workbench import main
from workbench.settings import Settings

from .accounts_door import Accounts
from .office import Office, Orchestration, staffed

pytest_plugins = ["common.testing"]


@pytest.fixture
async def database_url(database):
    return await database("workbench")


@pytest.fixture
async def orchestration(bus):
    """Tells facts on the bus as orchestration does."""
    await bus.ensure_stream("orchestration")
    return Orchestration(bus)


@pytest.fixture
async def office(database_url, issuer, open_house, broker, orchestration):
    """The service, open, and the officers' posts at accounts."""
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
            loopback_apps=True,
        )
        living = await open_house(main.opened, main.house, settings, parts=("doors", "consumers"))
        yield Office(living, issuer, orchestration)


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
        kind = symbol_database.Default().GetSymbol(f"tongban.workbench.v1.{name}")
        found = await rows("SELECT body FROM outbox WHERE type = $1 ORDER BY created_at, id", kind.DESCRIPTOR.full_name)
        return [kind.FromString(row["body"]) for row in found]

    return emitted
