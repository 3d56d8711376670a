from functools import partial

import pytest
from common.db import Database

from .shelf import MIGRATIONS, Line, Listener, Store


@pytest.fixture
async def url(database):
    return await database("shelf", MIGRATIONS)


@pytest.fixture
async def store(url, clock, ids):
    opened = Database(url)
    yield Store(opened, clock, ids)
    await opened.close()


@pytest.fixture
def notes(store):
    """The same database as the listener sees it."""
    return Store(store.database, store.clock, store.ids, service="workbench")


@pytest.fixture
def listener():
    return Listener()


@pytest.fixture
async def line(url):
    place = url.partition("@")[2].partition("/")[0]
    async with Line(place.partition(":")[0], int(place.partition(":")[2])) as opened:
        yield opened


@pytest.fixture
async def fragile(url, line, clock, ids):
    """A store whose line to the database can be cut."""
    head, _, tail = url.partition("@")
    opened = Database(f"{head}@127.0.0.1:{line.port}/{tail.partition('/')[2]}")
    yield Store(opened, clock, ids)
    await opened.close()


@pytest.fixture
def kicked(store, bus):
    store.database.kick = partial(bus.kick, "orchestration")
    return store
