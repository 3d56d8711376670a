from datetime import UTC, datetime, timedelta

import pytest
from common import db, outbox
from common.outbox import NotAFact, ensure_partitions, route
from tongban.accounts.v1 import account_pb2
from tongban.orchestration.v1 import case_events_pb2 as pb

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
PARTITIONS = (
    "select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid "
    "where i.inhparent = 'outbox'::regclass order by 1"
)
HOLDS = "select tableoid::regclass::text, count(*) from outbox group by 1 order by 1"


async def partitions(store):
    return [name for (name,) in await store.rows(PARTITIONS)]


def test_a_route_is_computed_from_the_descriptor():
    way = route(pb.CaseReady.DESCRIPTOR)
    assert (way.service, way.stream, way.filter) == (
        "orchestration",
        "EVT_ORCHESTRATION",
        "evt.orchestration.v1.case.ready.*",
    )
    with pytest.raises(NotAFact):
        route(account_pb2.DESCRIPTOR.message_types_by_name["Post"])


async def test_days_come_and_go(store, clock):
    clock.set(NOON)
    await db.housekeeping(store.database, clock())
    days = [f"outbox_202611{day}" for day in (23, 24, 25, 26)]
    assert await partitions(store) == [*days, "outbox_default"]
    await store.ready("a")
    assert await store.rows(HOLDS) == [("outbox_20261123", 1)]

    clock.set(NOON + timedelta(days=9))
    await db.housekeeping(store.database, clock())
    assert days[0] in await partitions(store), "a fact that was never published is kept"
    assert not set(days[1:2]) & set(await partitions(store))
    await store.rows("update outbox set published_at = now() returning 1")
    await db.housekeeping(store.database, clock())
    assert days[0] not in await partitions(store)
    assert await store.count("outbox") == 0


async def test_housekeeping_twice_at_once_is_no_matter(store, clock):
    await db.housekeeping(store.database, clock())
    first = await partitions(store)
    await db.housekeeping(store.database, clock())
    assert await partitions(store) == first


async def test_a_day_that_began_in_the_default_stays_there(store, clock):
    clock.set(NOON)
    await store.ready("a")
    async with store.database.engine.connect() as connection:
        await ensure_partitions(connection, clock())
    await store.ready("b")
    assert await store.rows(HOLDS) == [("outbox_default", 2)]
    assert "outbox_20261124" in await partitions(store)


async def test_old_rows_of_the_plumbing_are_forgotten(store, clock, ids):
    async with store.begin(once=[ids()], consumer="c"):
        pass
    clock.advance(timedelta(days=13))
    await db.housekeeping(store.database, clock())
    assert await store.count("inbox") == 1
    clock.advance(timedelta(days=2))
    await db.housekeeping(store.database, clock())
    assert await store.count("inbox") == 0


def test_the_plumbing_lists_its_tables():
    assert {"outbox", "outbox_default"} < db.PLUMBING
    assert timedelta(days=14) > outbox.KEEP
