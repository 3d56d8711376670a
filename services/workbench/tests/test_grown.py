"""A city that has grown: with thousands of todos done and in hand, no list, count or job passes by all of them."""

from datetime import timedelta

import asyncpg
import pytest
from common import db
from sealing import KeyRing
from uuid_utils.compat import uuid7

from .office import AT, MOTHER, claim, decided, ready, submitted

SEEDED = 4000
# Todos of a department next door, nine of ten done long ago.
SEED = """
INSERT INTO todos (todo_id, source, source_id, version, stage, state, revision, described_version, title, org_id,
                   org_path, region_code, ready_at, due_version, promised_due_at, yellow_at, remind_at, waiting_version,
                   kind, matter_code, item_code, done_at, claimed_post_id, claimed_post_title)
SELECT gen_random_uuid(), 'orchestration', gen_random_uuid()::text, 3, 'done',
       CASE n % 10 WHEN 0 THEN 'claimed' ELSE 'done' END, 1, 1, '婚姻登记 ' || n, gen_random_uuid(),
       'zibo.zhangdian.civil_affairs' || n % 50, '370303', $1::timestamptz, 2,
       $1::timestamptz + n * interval '1 minute',
       $1::timestamptz + n * interval '1 minute', $1::timestamptz + interval '9 years', 0, 'case', 'marriage', '000711',
       $1::timestamptz - interval '1 year', 'post-' || n % 100, '婚姻登记员'
FROM generate_series(1, $2) AS n
"""
PASSED = "SELECT seq_scan FROM pg_stat_user_tables WHERE relname = 'todos'"
# A mailbox of many years: all of it read but for every hundredth message.
MAIL = """
WITH sent AS (
    INSERT INTO messages (message_id, source, source_id, kind, title, body, sent_at)
    SELECT id, 'tests', n::text, 'filing_closed', '申请已办结', body, $1::timestamptz - n * interval '1 hour'
    FROM unnest($2::uuid[], $3::bytea[]) WITH ORDINALITY AS mail (id, body, n)
    RETURNING message_id, sent_at, source_id::bigint AS n),
delivered AS (
    INSERT INTO deliveries (mailbox, seq, message_id, sent_at) SELECT $4, n, message_id, sent_at FROM sent),
counted AS (INSERT INTO mailboxes (mailbox, last_seq) VALUES ($4, cardinality($2::uuid[])))
INSERT INTO receipts (message_id, reader, delivered_at, read_at)
SELECT message_id, $4, sent_at, sent_at FROM sent WHERE n % 100 <> 0
"""
FETCHED = """
SELECT sum(seq_tup_read + idx_tup_fetch) FROM pg_stat_user_tables
WHERE relname IN ('messages', 'deliveries', 'receipts')
"""


@pytest.fixture
async def seed(database_url):
    """Fills the tables."""

    async def filled(statement, *values):
        connection = await asyncpg.connect(database_url.replace("+asyncpg", ""))
        await connection.execute(statement, *values)
        await connection.execute("VACUUM ANALYZE")
        await connection.close()

    return filled


@pytest.fixture
async def counted(database_url):
    """Tells what the database counted so far."""

    async def told(office, statement):
        # A server's process tells what it did when its connection closes, at the latest.
        await office.living.app.store.database.engine.dispose()
        reader = await asyncpg.connect(database_url.replace("+asyncpg", ""))
        try:
            return await reader.fetchval(statement)
        finally:
            await reader.close()

    return told


@pytest.fixture
async def grown(seed, counted):
    """The neighbours' todos; gives how often all todos were passed by so far."""
    await seed(SEED, AT, SEEDED)
    return lambda office: counted(office, PASSED)


async def test_nothing_passes_by_all_todos(office, grown):
    before = await grown(office)
    todo = await office.open_one()
    await office.ask("POST", claim(todo))
    for state in ("open", "claimed", "waiting", "done"):
        for more in ("", "&mine=true", "&colour=red", "&colour=green", "&kind=case&matter=newborn", "&words=出生"):
            await office.todos(f"?state={state}{more}")
        await office.todos(f"?state={state}&line=true", "city")
    for path in ("/v1/todos/counts", f"/v1/todos/{todo['todo_id']}"):
        assert (await office.ask("GET", path)).status_code == 200
    await office.orchestration.tell(ready(todo["source_id"], version=3), decided(todo["source_id"], version=4))
    for job in office.living.house.jobs:
        await job.run()
    await db.housekeeping(office.living.app.store.database, AT)
    assert await grown(office) == before


async def test_what_was_done_long_ago_is_counted_no_more(office, clock):
    todo = await office.open_one()
    await office.orchestration.tell(decided(todo["source_id"]))
    assert (await office.ask("GET", "/v1/todos/counts")).json()["done"] == 1
    clock.advance(timedelta(days=31))
    assert (await office.ask("GET", "/v1/todos/counts")).json()["done"] == 0
    assert len(await office.todos("?state=done")) == 1


@pytest.fixture
async def mail(seed, settings):
    """The mother's mailbox."""
    data_keys = {name: key.get_secret_value() for name, key in settings.data_keys.items()}
    keys = KeyRing.from_settings(data_keys, settings.index_key.get_secret_value())
    ids = [uuid7() for _ in range(SEEDED)]
    bodies = [keys.seal("您的申请已办结。".encode(), bound=f"messages.body:{each}") for each in ids]
    await seed(MAIL, AT, ids, bodies, f"person:{MOTHER}")


@pytest.mark.usefixtures("mail")
async def test_a_page_of_a_mailbox_costs_a_page(office, counted):
    await office.orchestration.tell(submitted())
    before = await counted(office, FETCHED)
    seen, cursor = [], ""
    for _ in range(5):
        page = (await office.ask("GET", f"/v1/messages?page_size=10{cursor}", MOTHER)).json()
        cursor = f"&cursor={page['next_cursor']}"
        seen += page["items"]
    moments = [message["sent_at"] for message in seen]
    assert (len({message["message_id"] for message in seen}), moments) == (50, sorted(moments, reverse=True))
    path = f"/v1/messages/{seen[0]['message_id']}:read"
    assert (await office.ask("POST", path, MOTHER)).status_code == 200
    assert await counted(office, FETCHED) - before < 500


@pytest.mark.usefixtures("mail")
async def test_what_was_not_read_for_a_season_is_counted_no_more(office):
    # one of a hundred hours, for ninety days
    assert (await office.ask("GET", "/v1/messages/counts", MOTHER)).json() == {"unread": 21}
    unread = (await office.ask("GET", "/v1/messages?unread=true&page_size=100", MOTHER)).json()["items"]
    assert [message["source_id"] for message in unread] == [str(n) for n in range(100, 2101, 100)]
