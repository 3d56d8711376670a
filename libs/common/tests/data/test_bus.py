"""The connection to the broker, at its end."""

import asyncio

import pytest
from common.bus import Bus, BusUnavailable


async def test_a_bus_that_never_connected_closes_quietly(broker):
    never = Bus(broker.url, "never")
    await never.close()
    assert not never.closed.is_set()


async def test_closing_is_told_once_and_may_be_said_twice(broker):
    bus = Bus(broker.url, "twice")
    await bus.connect()
    await bus.close()
    assert bus.closed.is_set()
    await bus.close()


async def test_whoever_waits_for_a_broker_that_dies_is_told_at_once(broker):
    bus = Bus(broker.url, "dying")
    await bus.connect()
    await bus.ensure_stream("orchestration")
    broker.freeze()
    asking = asyncio.create_task(bus.stream_state("EVT_ORCHESTRATION"))
    await asyncio.sleep(0.2)
    broker.kill()
    with pytest.raises(BusUnavailable):
        await asyncio.wait_for(asking, 1)
    await bus.close()
    broker.start()
