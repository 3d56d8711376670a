import asyncio

import pytest
from common import relay
from common.bus import Bus, Letter
from common.relay import Relay
from prometheus_client import REGISTRY

from .shelf import until, working

STREAM = "EVT_ORCHESTRATION"
OPEN = "outbox where published_at is null"


async def held(bus):
    """Read everything that the stream holds."""
    js = bus._js
    _, last = await bus.stream_state(STREAM)
    return [await js.get_msg(STREAM, seq) for seq in range(1, last + 1)]


@pytest.fixture
async def relays(kicked, bus):
    made = Relay(kicked.database, bus, "orchestration")
    await made.check()
    return made


async def test_a_batch_arrives_in_order_with_its_headers(kicked, bus, relays, clock):
    await kicked.ready(*(f"case-{n}" for n in range(10)))
    assert await relays.publish() == 10
    messages = await held(bus)
    assert [message.subject for message in messages] == [f"evt.orchestration.v1.case.ready.case-{n}" for n in range(10)]
    rows = await kicked.rows("select id, stream, seq, published_at from outbox order by seq")
    assert [row.seq for row in rows] == list(range(1, 11))
    assert {row.stream for row in rows} == {STREAM}
    headers = messages[0].headers
    assert headers["Nats-Msg-Id"] == headers["ce-id"] == str(rows[0].id)
    assert headers["ce-type"] == "tongban.orchestration.v1.CaseReady"
    assert headers["ce-source"] == "/orchestration"
    assert headers["ce-specversion"] == "1.0"
    assert headers["ce-actor"] == "service:orchestration"
    assert headers["ce-time"] == clock().astimezone(tz=None).isoformat() or headers["ce-time"].endswith("+00:00")
    assert await relays.publish() == 0


async def test_what_waits_is_measured(kicked, relays):
    def measured(name):
        return REGISTRY.get_sample_value(name, {"service": "orchestration"})

    await kicked.ready("case-1")
    await kicked.rows(
        "insert into dead_letters (consumer, id, subject, type, body, headers, reason, error, deliveries, at) "
        "values ('orchestration-x', gen_random_uuid(), 's', 't', '', '{}', 'UNREADABLE', '', 1, now()) returning 1"
    )
    await relays.check()
    assert (measured("tongban_outbox_pending"), measured("tongban_dead_letters_waiting")) == (1, 1)


async def test_two_relays_publish_each_fact_once(kicked, bus):
    async with working(
        *(relay.run(kicked.database, bus, "orchestration") for _ in range(2)),
    ):
        for round_ in range(20):
            await kicked.ready(*(f"case-{round_}-{n}" for n in range(7)))
        await until(lambda: none(kicked, OPEN))
    subjects = [message.subject for message in await held(bus)]
    assert len(subjects) == len(set(subjects)) == 140


async def test_a_kick_is_faster_than_the_poll(kicked, bus, monkeypatch):
    monkeypatch.setattr(relay, "POLL", 30.0)
    async with working(relay.run(kicked.database, bus, "orchestration")):
        await kicked.ready("first")
        await until(lambda: none(kicked, OPEN), within=5)
        await kicked.ready("second")
        await until(lambda: none(kicked, OPEN), within=5)


async def test_a_stopped_relay_leaves_nothing_behind(kicked, bus):
    stop = asyncio.Event()
    running = asyncio.create_task(relay.run(kicked.database, bus, "orchestration", stop=stop))
    await kicked.ready(*(f"case-{n}" for n in range(700)))
    stop.set()
    await running
    assert await kicked.count(OPEN) == 0


async def test_a_relay_cut_off_before_it_marked_publishes_nothing_twice(fragile, kicked, bus, line, relays):
    await kicked.ready("a", "b", "c")
    line.cut_at(b"set published_at = now()", deliver=False)
    cut_off = Relay(fragile.database, bus, "orchestration")
    with pytest.raises(Exception, match="DATABASE_UNAVAILABLE"):
        await cut_off.publish()
    assert len(await held(bus)) == 3
    assert await kicked.count(OPEN) == 3
    await kicked.ready("d")
    assert await relays.publish() == 4
    assert len(await held(bus)) == 4, "the batch was refused as a duplicate, and only the new fact went in"
    assert [row.seq for row in await kicked.rows("select seq from outbox order by seq")] == [1, 2, 3, 4]


async def test_one_letter_that_is_refused_does_not_hold_up_the_others(bus, ids):
    await bus.ensure_stream("orchestration")
    letters = [Letter(ids(), f"evt.orchestration.v1.case.ready.{n}", {}, b"") for n in range(3)]
    letters[1] = Letter(ids(), letters[1].subject, {"Nats-Expected-Stream": "ANOTHER"}, b"")
    acks = await bus.publish_batch(letters)
    assert [ack and ack.seq for ack in acks] == [1, None, 2]


class TestRegression:
    async def test_a_stream_that_was_deleted_is_filled_again(self, kicked, bus, relays):
        await kicked.ready("a", "b")
        await relays.publish()
        await bus._js.delete_stream(STREAM)
        await relays.check()
        assert await kicked.count(OPEN) == 2
        await relays.publish()
        assert len(await held(bus)) == 2

    async def test_a_stream_that_outgrew_its_predecessor_is_still_found_out(self, kicked, bus, relays):
        await kicked.ready("a")
        await relays.publish()
        await bus._js.delete_stream(STREAM)
        await bus.ensure_stream("orchestration")
        other = Relay(kicked.database, bus, "orchestration")
        await kicked.ready("b", "c")
        await other.publish()
        await other.check()
        await other.publish()
        assert {message.subject[-1] for message in await held(bus)} == {"a", "b", "c"}

    async def test_a_sequence_given_twice_raises_the_alarm_at_once(self, kicked, bus, relays):
        await kicked.ready("a", "b", "c")
        await relays.publish()
        await bus._js.delete_stream(STREAM)
        await bus.ensure_stream("orchestration")
        await kicked.ready("d")
        await relays.publish()
        assert await kicked.count(OPEN) == 3
        await relays.publish()
        assert {message.subject[-1] for message in await held(bus)} == {"a", "b", "c", "d"}

    async def test_a_restored_backup_is_completed(self, kicked, broker, bus, relays):
        await kicked.ready("a", "b")
        await relays.publish()
        broker.kill()
        broker.save("backup")
        broker.start()
        await broker.up()
        await until(lambda: connected(bus))
        await kicked.ready("c", "d")
        await relays.publish()
        broker.kill()
        broker.restore("backup")
        broker.start()
        await broker.up()
        await until(lambda: connected(bus))
        await relays.check()
        assert await kicked.count(OPEN) == 2
        await relays.publish()
        assert [message.subject[-1] for message in await held(bus)] == ["a", "b", "c", "d"]

    async def test_a_running_relay_recovers_from_a_broker_that_lost_everything(self, kicked, broker, bus):
        async with working(relay.run(kicked.database, bus, "orchestration")):
            await kicked.ready("a", "b")
            await until(lambda: none(kicked, OPEN))
            broker.kill()
            broker.forget()
            await kicked.ready("c")
            broker.start()
            await until(lambda: holds(bus, {"a", "b", "c"}), within=30)


async def test_a_bus_that_is_away_is_not_ready(bus, broker):
    await bus.ready()
    broker.kill()
    with pytest.raises(Exception, match="BUS_UNAVAILABLE"):
        await until(lambda: fails(bus.ready()))
    broker.start()
    await broker.up()
    await until(lambda: connected(bus))


async def test_a_bus_waits_for_its_broker(broker):
    broker.kill()
    late = Bus(broker.url, "late")
    joining = asyncio.create_task(late.connect())
    await asyncio.sleep(0.3)
    assert not joining.done()
    broker.start()
    await asyncio.wait_for(joining, 10)
    await late.close()
    assert late.closed.is_set()


async def none(store, what):
    return await store.count(what) == 0


async def connected(bus):
    try:
        await bus.ready()
    except Exception:  # noqa: BLE001 - asked until it is
        return False
    return True


async def fails(asked):
    await asked
    return False


async def holds(bus, cases):
    try:
        return {message.subject[-1] for message in await held(bus)} == cases
    except Exception:  # noqa: BLE001 - asked until it does
        return False
