"""Where the database sets an end: nobody waits for ever, and the next one gets through."""

import asyncio

import pytest
from common.db import Database, DatabaseUnavailable
from sqlalchemy import text

from .shelf import Store
from .test_transaction import add


@pytest.fixture
async def narrow(url, clock, ids):
    """A service whose few connections may all be taken, and that does not wait for one for long."""
    opened = Database(url, pool_size=2)
    opened.engine.pool._timeout = 0.3
    yield Store(opened, clock, ids)
    await opened.close()


async def test_when_all_connections_are_taken_one_is_told_so_and_the_next_gets_through(narrow):
    free = asyncio.Event()

    async def hold():
        async with narrow.begin():
            await free.wait()

    holding = [asyncio.create_task(hold()) for _ in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(DatabaseUnavailable):
        await add(narrow, "a")
    free.set()
    await asyncio.gather(*holding)
    await add(narrow, "a")
    assert await narrow.count("things") == 1


async def test_a_statement_that_takes_too_long_is_cut_off_and_leaves_nothing(store):
    async def work():
        async with store.begin() as tx:
            tx.unit.record("shelf.add_thing", subject=("thing", "a"), owner="p1", details={})
            await tx.unit.flush()
            await tx.unit.connection.execute(text("set local statement_timeout = '100ms'"))
            await tx.unit.connection.execute(text("select pg_sleep(20)"))

    with pytest.raises(DatabaseUnavailable):
        await work()
    assert await store.count("journal") == 0
    await add(store, "a")


async def test_a_transaction_that_is_left_open_is_ended_by_the_server_and_holds_up_nobody(store):
    async def work():
        async with store.begin() as tx:
            await tx.unit.connection.execute(text("lock table things"))
            await tx.unit.connection.execute(text("set local idle_in_transaction_session_timeout = '200ms'"))
            await asyncio.sleep(1)  # a call outside in the middle of a transaction, say
            await tx.unit.connection.execute(text("select 1"))

    left_open = asyncio.create_task(work())
    await asyncio.sleep(0.05)
    async with asyncio.timeout(5):
        await add(store, "a")
    with pytest.raises(DatabaseUnavailable):
        await left_open
    assert await store.count("things") == 1
