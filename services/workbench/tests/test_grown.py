"""A city that has grown: with thousands of todos done and in hand, no list, count or job passes by all of them."""

from datetime import timedelta

import asyncpg
import pytest
from common import db

from .office import AT, claim, decided, ready

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


@pytest.fixture
async def grown(database_url):
    """The neighbours' todos; gives how often all todos were passed by so far."""
    connection = await asyncpg.connect(database_url.replace("+asyncpg", ""))
    await connection.execute(SEED, AT, SEEDED)
    await connection.execute("VACUUM ANALYZE")
    await connection.close()

    async def passed(office):
        # A server's process tells what it did when its connection closes, at the latest.
        await office.living.app.store.database.engine.dispose()
        reader = await asyncpg.connect(database_url.replace("+asyncpg", ""))
        try:
            return await reader.fetchval(PASSED)
        finally:
            await reader.close()

    return passed


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
