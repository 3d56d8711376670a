"""Opens the service, on a database and a broker of its own for each test."""

import asyncio
import base64
import importlib
from dataclasses import dataclass

import asyncpg
import pytest
from common import config, process
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
    for service in ("orchestration", "accounts", "verification"):
        await bus.ensure_stream(service)
    return Orchestration(bus)


@pytest.fixture
async def accounts():
    """The officers' posts at accounts."""
    async with Accounts().serve() as accounts:
        yield staffed(accounts)


@pytest.fixture
async def settings(database_url, issuer, broker, accounts):
    """The settings of a replica."""
    issuer.register("workbench", "secret", aud=["accounts"], roles=["accounts:read_organisation"])
    return Settings(
        database_url=database_url,
        nats_url=broker.url,
        keycloak_url=issuer.url,
        data_keys={"k1": base64.b64encode(b"1" * 32).decode()},
        index_key=base64.b64encode(b"2" * 32).decode(),
        client_secret="secret",
        accounts_grpc=accounts.target,
        http_port=0,
        grpc_port=0,
        loopback_apps=True,
    )


@pytest.fixture
async def office(settings, issuer, open_house, orchestration):
    """The service, open."""
    living = await open_house(main.opened, main.house, settings, parts=("doors", "consumers"))
    return Office(living, issuer, orchestration)


@pytest.fixture
async def replica(settings, issuer, open_house, orchestration):
    """A second process of the service, beside the first."""
    living = await open_house(main.opened, main.house, settings, parts=("doors",))
    return Office(living, issuer, orchestration)


@dataclass(frozen=True)
class ClosingReplica:
    """A process that the test closes."""

    office: Office
    stop: asyncio.Event


@pytest.fixture
async def closing_replica(settings, issuer, orchestration, clock, ids):
    """A process of the service that the test closes."""
    stop, opening = asyncio.Event(), asyncio.get_running_loop().create_future()

    async def live():
        async with main.opened(settings, clock=clock, ids=ids) as app:
            house = main.house(app)
            living = importlib.import_module("common.testing").Living

            def opened(ports):
                opening.set_result(living(app, house, ports, ids))

            await process.live(house, app, stop=stop, parts=("doors",), clock=clock, opened=opened)

    task = asyncio.create_task(live())
    yield ClosingReplica(Office(await opening, issuer, orchestration), stop)
    stop.set()
    await task


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


@pytest.fixture
def office_sentences():
    """Every text of the service for people."""
    return config.sentences(main.LOCALE).by_reason
