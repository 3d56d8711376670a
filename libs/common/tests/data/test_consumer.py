import asyncio
from datetime import UTC, datetime

import pytest
from common import consumer, deadletter, relay
from common.consumer import Consumer
from common.errors import Conflict, Refusal, Unavailable
from common.inbox import Subscriptions, Unreadable
from google.protobuf.timestamp_pb2 import Timestamp
from nats.js.errors import NotFoundError
from prometheus_client import REGISTRY
from tongban.orchestration.v1 import case_events_pb2 as pb

from .shelf import TAKE_NOTE, subscriptions, take_note, until, working

STREAM = "EVT_ORCHESTRATION"


class ThingUnwanted(Refusal):
    """It does not fit."""


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(consumer, "BACKOFF", (0.05,))
    monkeypatch.setattr(consumer, "WAIT", 0.05)


@pytest.fixture
async def house(kicked, notes, listener, bus):
    """Both ends, running."""
    async with working(relay.run(kicked.database, bus, "orchestration"), consumer.run(TAKE_NOTE, listener, notes, bus)):
        yield


async def noted(store):
    return sorted(thing for (thing,) in await store.rows("select thing from notes"))


async def has(store, *things):
    return await noted(store) == sorted(things)


async def parked(store, number=1):
    letters = await deadletter.parked(store.database)
    return letters if len(letters) == number else None


async def settled(bus):
    try:
        info = await bus.consumer(STREAM, TAKE_NOTE.durable)
    except NotFoundError:
        return False
    return info.num_pending == 0 and info.num_ack_pending == 0


async def put(bus, data, headers):
    await bus.ensure_stream("orchestration")
    await bus._js.publish("evt.orchestration.v1.case.ready.x", data, headers=headers)


def told(fact, **other):
    return {
        "ce-id": str(fact),
        "ce-type": "tongban.orchestration.v1.CaseReady",
        "ce-time": datetime(2026, 11, 23, tzinfo=UTC).isoformat(),
        **other,
    }


def measured(name):
    return REGISTRY.get_sample_value(f"{name}_total", {"consumer": TAKE_NOTE.durable}) or 0


@pytest.mark.usefixtures("house")
class TestEffects:
    async def test_a_fact_has_its_effect(self, kicked, notes, bus):
        before = measured("tongban_consumer_handled")
        await kicked.ready("a", "b", "c")
        await until(lambda: has(notes, "a", "b", "c"))
        await until(lambda: settled(bus))
        assert measured("tongban_consumer_handled") == before + 3

    async def test_a_fact_delivered_twice_has_one_effect(self, notes, bus, ids):
        fact = ids()
        data = pb.CaseReady(case_id="x").SerializeToString()
        before = measured("tongban_consumer_duplicates")
        for _ in range(3):
            await put(bus, data, told(fact))
        await until(lambda: settled(bus))
        await put(bus, data, told(fact))
        await until(lambda: settled(bus))
        assert await noted(notes) == ["x"]
        assert measured("tongban_consumer_duplicates") == before + 3

    async def test_the_trace_goes_on(self, notes, bus, ids):
        traceparent = f"00-{'a' * 32}-{'b' * 16}-01"
        seen = []
        listening = Subscriptions("tracing")

        @listening.on(pb.CaseReady)
        async def follow(_app, tx, fact):
            tx.unit.record("tracing.follow", subject=("case", fact.body.case_id))
            seen.append(fact)

        await put(bus, pb.CaseReady(case_id="x").SerializeToString(), told(ids(), traceparent=traceparent))
        (subscription,) = listening
        async with working(consumer.run(subscription, None, notes, bus)):
            await until(lambda: written(notes))
        assert seen[0].traceparent == traceparent
        assert (await notes.rows("select trace_id from journal"))[0][0] == "a" * 32

    async def test_one_that_fails_at_first_hurts_no_other(self, kicked, notes, listener):
        listener.moods["b"] = Unavailable()
        await kicked.ready("a", "b", "c")
        await until(lambda: has(notes, "a", "c"))
        await until(lambda: tried(listener, "b", 3))
        listener.moods.clear()
        await until(lambda: has(notes, "a", "b", "c"))

    async def test_what_is_unavailable_for_long_is_never_parked(self, kicked, notes, listener, monkeypatch):
        monkeypatch.setattr(consumer, "MAX_DELIVERIES", 2)
        listener.moods["a"] = Unavailable()
        await kicked.ready("a")
        await until(lambda: tried(listener, "a", 6))
        listener.moods.clear()
        await until(lambda: has(notes, "a"))
        assert not await deadletter.parked(notes.database)


@pytest.mark.usefixtures("house")
class TestParking:
    async def test_a_refusal_is_parked_at_once_and_replayed_on_command(self, kicked, notes, listener, bus):
        listener.moods["b"] = ThingUnwanted(thing="b")
        await kicked.ready("a", "b", "c")
        await until(lambda: has(notes, "a", "c"))
        (letter,) = await until(lambda: parked(notes))
        assert (letter.consumer, letter.reason, letter.error) == (
            "workbench-take_note",
            "THING_UNWANTED",
            '{"thing":"b"}',
        )
        await until(lambda: settled(bus))

        assert await deadletter.replay(notes.database, subscriptions, listener, notes) == 0
        assert await parked(notes)
        listener.moods.clear()
        assert await deadletter.replay(notes.database, subscriptions, listener, notes, "somebody-else") == 0
        assert await deadletter.replay(notes.database, subscriptions, listener, notes) == 1
        assert await deadletter.replay(notes.database, subscriptions, listener, notes) == 0
        assert await noted(notes) == ["a", "b", "c"]

    async def test_an_unknown_error_is_parked_when_the_tries_are_used_up(self, kicked, notes, listener, monkeypatch):
        monkeypatch.setattr(consumer, "MAX_DELIVERIES", 3)
        listener.moods["a"] = KeyError("王小明")
        await kicked.ready("a")
        (letter,) = await until(lambda: parked(notes))
        assert letter.reason == "FAILED"
        assert letter.error.startswith("KeyError at shelf.py")
        assert listener.tried.count("a") == 3

    async def test_a_conflict_is_tried_again(self, kicked, notes, listener):
        listener.moods["a"] = Conflict()
        await kicked.ready("a")
        await until(lambda: tried(listener, "a", 2))
        listener.moods.clear()
        await until(lambda: has(notes, "a"))

    async def test_what_cannot_be_read_is_parked_and_the_rest_goes_on(self, notes, bus, ids):
        good = pb.CaseReady(case_id="x").SerializeToString()
        fact = ids()
        await put(bus, good, told("no-uuid"))
        await put(bus, good, {"ce-id": str(ids())})
        await put(bus, b"\xff\xff\xff", told(ids()))
        await put(bus, good, told(ids(), **{"ce-time": "2026-11-23T09:00:00"}))
        await put(bus, good, told(ids(), **{"ce-time": "0001-01-01T00:00:00+23:59"}))
        await put(bus, pb.CaseReady(case_id="a\0b").SerializeToString(), told(ids()))
        await put(bus, pb.CaseReady(case_id="x" * 900_000).SerializeToString(), told(ids()))
        await put(bus, pb.CaseReady(version=2**63 - 1).SerializeToString(), told(ids()))
        await put(bus, pb.CaseReady(ready_at=Timestamp(nanos=-1)).SerializeToString(), told(ids()))
        await put(bus, good, None)
        await put(bus, good, told(fact))
        await until(lambda: has(notes, "x"))
        letters = await until(lambda: parked(notes, 10))
        assert {letter.reason for letter in letters} == {"UNREADABLE"}
        whys = {letter.error for letter in letters}
        assert whys == {"another type", "ce-id", "ce-time", "message", "case_id", "version", "ready_at"}
        await until(lambda: settled(bus))

    async def test_a_handler_may_find_a_fact_unreadable(self, kicked, notes, listener):
        listener.moods["a"] = Unreadable("org_id")
        await kicked.ready("a")
        (letter,) = await until(lambda: parked(notes))
        assert (letter.reason, letter.error) == ("UNREADABLE", "org_id")


class TestSurvival:
    async def test_a_consumer_waits_for_a_stream_that_is_not_there(self, kicked, notes, listener, bus):
        async with working(consumer.run(TAKE_NOTE, listener, notes, bus)):
            await kicked.ready("a")
            await asyncio.sleep(0.3)
            async with working(relay.run(kicked.database, bus, "orchestration")):
                await until(lambda: has(notes, "a"))

    async def test_one_that_was_away_loses_nothing(self, kicked, notes, listener, bus):
        stop = asyncio.Event()
        async with working(relay.run(kicked.database, bus, "orchestration")):
            await kicked.ready("a")
            running = asyncio.create_task(consumer.run(TAKE_NOTE, listener, notes, bus, stop=stop))
            await until(lambda: has(notes, "a"))
            stop.set()
            await asyncio.wait_for(running, 5)
            await kicked.ready("b", "c")
            async with working(consumer.run(TAKE_NOTE, listener, notes, bus)):
                await until(lambda: has(notes, "a", "b", "c"))
        assert sorted(listener.tried) == ["a", "b", "c"]

    @pytest.mark.usefixtures("house")
    async def test_a_deleted_stream_is_found_again_and_nothing_done_twice(self, kicked, notes, bus, monkeypatch):
        monkeypatch.setattr(relay, "CHECK", 0.5)
        await kicked.ready("a", "b")
        await until(lambda: has(notes, "a", "b"))
        await bus._js.delete_stream(STREAM)
        await kicked.ready("c")
        await until(lambda: has(notes, "a", "b", "c"))
        await until(lambda: holds_and_settled(bus, 3))
        assert await noted(notes) == ["a", "b", "c"]

    @pytest.mark.usefixtures("house")
    async def test_a_deleted_consumer_is_made_again(self, kicked, notes, bus):
        await kicked.ready("a")
        await until(lambda: has(notes, "a"))
        await bus.forget(STREAM, TAKE_NOTE.durable)
        await kicked.ready("b")
        await until(lambda: has(notes, "a", "b"))

    @pytest.mark.usefixtures("house")
    async def test_killed_brokers_cost_nothing(self, kicked, notes, broker):
        things = []
        for round_ in range(3):
            things += [f"{round_}-{n}" for n in range(20)]
            await kicked.ready(*things[-20:])
            broker.kill()
            broker.start()
            await broker.up()
        await until(lambda: has(notes, *things), within=60)

    @pytest.mark.usefixtures("house")
    async def test_killed_database_connections_cost_nothing(self, kicked, notes):
        things = []
        for round_ in range(10):
            things += [f"{round_}-{n}" for n in range(20)]
            await kicked.ready(*things[-20:])
            await kicked.rows(
                "select pg_terminate_backend(pid) from pg_stat_activity "
                "where datname = current_database() and pid <> pg_backend_pid()"
            )
            await asyncio.sleep(0.05)
        await until(lambda: has(notes, *things), within=60)

    async def test_a_commit_of_unknown_outcome_is_not_done_twice(self, kicked, fragile, line, listener, bus):
        fragile.service = "workbench"
        line.cut_at(b"commit", deliver=True)
        async with working(
            relay.run(kicked.database, bus, "orchestration"), consumer.run(TAKE_NOTE, listener, fragile, bus)
        ):
            await kicked.ready("a", "b")
            await until(lambda: has(kicked, "a", "b"))
            await until(lambda: settled(bus))
        assert line.cuts == 1
        assert await noted(kicked) == ["a", "b"]

    async def test_two_replicas_share_the_work(self, kicked, notes, listener, bus):
        things = [f"case-{n}" for n in range(300)]
        async with working(
            relay.run(kicked.database, bus, "orchestration"),
            *(consumer.run(TAKE_NOTE, listener, notes, bus) for _ in range(2)),
        ):
            await kicked.ready(*things)
            await until(lambda: has(notes, *things))
        assert sorted(listener.tried) == sorted(things)


async def test_the_watchdog_rebinds_a_stalled_pull_and_at_last_starts_over(notes, listener, bus):
    await bus.ensure_stream("orchestration")
    await put(bus, pb.CaseReady(case_id="x").SerializeToString(), told("00000000-0000-7000-8000-000000000001"))
    watched = Consumer(TAKE_NOTE, listener, notes, bus)
    pull = await bus.bind(STREAM, TAKE_NOTE.durable, TAKE_NOTE.route.filter)
    await watched._watch()
    for _ in range(consumer.REBINDS + 1):
        with pytest.raises(consumer.PullBroken):
            await watched._watch()
    with pytest.raises(Exception, match="consumer not found"):
        await bus.consumer(STREAM, TAKE_NOTE.durable)
    await pull.close()


def test_a_subscription_is_named_after_its_function():
    assert TAKE_NOTE.durable == "workbench-take_note"
    with pytest.raises(ValueError, match="twice"):
        subscriptions.on(pb.CaseReady)(take_note)


async def tried(listener, case, times):
    return listener.tried.count(case) >= times


async def written(store):
    return await store.count("journal")


async def holds_and_settled(bus, number):
    try:
        _, last = await bus.stream_state(STREAM)
        return last >= number and await settled(bus)
    except Exception:  # noqa: BLE001 - asked until it does
        return False
