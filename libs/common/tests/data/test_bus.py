"""The connection to the broker, at its end."""

from common.bus import Bus


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
