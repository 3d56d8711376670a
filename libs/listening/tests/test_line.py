"""Nobody is passed by in the line for a connection, and what somebody gave up waiting for is not lost."""

import asyncio

import pytest
from listening.line import FairPool, Line
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.util import greenlet_spawn
from sqlalchemy.util.queue import Empty


async def take(line, within=5.0):
    return await greenlet_spawn(line.get, True, within)


@pytest.fixture
def line():
    """One connection, and somebody has it."""
    return Line(1)


async def waiting(line, count):
    """So many, one behind the other."""
    tasks = []
    for _ in range(count):
        tasks.append(asyncio.create_task(take(line)))
        await asyncio.sleep(0.01)
    return tasks


async def test_whoever_came_first_is_served_first_whatever_newcomers_do(line):
    order = []

    async def come(name, *, again):
        item = await take(line)
        order.append(name)
        await asyncio.sleep(0)
        line.put_nowait(item)
        if again:
            # a newcomer is there before those who wait have run
            await come(f"{name} again", again=False)

    tasks = []
    for name in "abc":
        tasks.append(asyncio.create_task(come(name, again=True)))
        await asyncio.sleep(0.01)
    line.put_nowait("connection")
    await asyncio.gather(*tasks)
    assert order == ["a", "b", "c", "a again", "b again", "c again"]


async def test_whoever_waits_too_long_is_told_so_and_leaves_the_line(line):
    with pytest.raises(Empty):
        await take(line, within=0.01)
    (next_one,) = await waiting(line, 1)
    line.put_nowait("connection")
    assert await next_one == "connection"


async def test_what_came_for_somebody_who_left_goes_to_the_next(line):
    first, second = await waiting(line, 2)
    line.put_nowait("connection")
    # handed over already, and not yet taken
    first.cancel()
    assert await second == "connection"
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_what_nobody_waits_for_is_free_for_all(line):
    line.put_nowait("connection")
    assert line.get(False) == "connection"
    with pytest.raises(Empty):
        line.get(False)


def test_an_engine_takes_the_pool():
    engine = create_async_engine("postgresql+asyncpg://nowhere/nothing", poolclass=FairPool, pool_size=2)
    assert isinstance(engine.pool._pool, Line)
