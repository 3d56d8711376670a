"""A city that has grown: with thousands of filings behind it, no act, list or job passes by all of them."""

from common import db
from common.auth import system
from orchestration import usecases
from orchestration.domain.definition import Cause
from sqlalchemy import text

SEEDED = 1500
# filings come before what stands on them
TABLES = ("matters", "filings", "cases", "timers", "calls", "documents", "deliveries", "evidence_watches", "journal")
COLUMNS = """
select attname, format_type(atttypid, null) as kind from pg_attribute
where attrelid = cast(:name as regclass) and attnum > 0 and not attisdropped and attgenerated = ''"""
# how often each large table has been read from its beginning to its end
PASSED = """
select relname, seq_scan from pg_stat_user_tables
where relid in (select oid from pg_class where reltuples > 1000 and relkind = 'r')"""
# how many rows, or entries of indexes, were read for lists of cases
READ = """
select (select sum(seq_tup_read) from pg_stat_user_tables where relname = any(:names))
     + (select sum(idx_tup_read) from pg_stat_user_indexes where relname = any(:names))"""
LISTED = ["cases", "deliveries", "evidence_watches"]
# Of what is old: the police's cases went to a quiet town of their own, and what health decided waits to be delivered.
MOVE = """
with moved as (
    update cases set org_path = 'zibo.quiet.police' where no like '%-%' and org_path = 'zibo.zhangdian.police'
    returning id)
update deliveries set org_path = 'zibo.quiet.police' where case_id in (select id from moved)"""
WAIT = """
update deliveries set delivered_at = null
where case_id in (select id from cases where no like '%-%' and org_path = 'zibo.zhangdian.health')"""


def own(name, kind):
    """A column of a copy: ids and numbers are its own, what belonged together still does; years have gone by."""
    if kind == "uuid":
        return f"cast(md5({name}::text || n) as uuid)"
    if name == "delivered_at":
        return own("issued_at", kind)
    if kind == "timestamp with time zone":
        return f"{name} - n * interval '1 minute' - interval '1 year'"
    return f"{name} || '-' || n" if name in {"no", "code", "applicant_id", "licence_id", "subject_id"} else name


async def seed(desk):
    """Copy what the one filing left behind; like what was closed long ago, all of it rests."""
    async with desk.app.store.database.engine.begin() as connection:
        for table in TABLES:
            columns = (await connection.execute(text(COLUMNS), {"name": table})).all()
            chosen = ", ".join(own(*column) for column in columns)
            names = ", ".join(column.attname for column in columns)
            await connection.execute(
                text(f"insert into {table} ({names}) select {chosen} from {table}, generate_series(1, :count) as n"),
                {"count": SEEDED},
            )
        await connection.execute(text("update filings set state = 'archived' where no like '%-%'"))


async def told(desk, query, **params):
    """What the database counted so far; servers' processes tell when their connections close."""
    await desk.app.store.database.engine.dispose()
    await desk.rows("select pg_stat_force_next_flush()")
    return await desk.rows(query, **params)


async def passed(desk):
    """What has been read through so far."""
    return dict(await told(desk, PASSED))


async def listed(desk, path, name):
    """The items of a list, and how many rows it was read from."""
    await desk.get("/v1/cases?status=pruned", name)  # who this is is known from now on
    before = await told(desk, READ, names=LISTED)
    answer = await desk.get(path, name)
    assert answer.status_code == 200, answer.text
    after = await told(desk, READ, names=LISTED)
    return answer.json()["items"], after[0][0] - before[0][0]


async def lifecycle(desk):
    filing, cases = await desk.submitted()
    await desk.pass_(cases, *cases)
    while await desk.run_calls():
        pass
    for case in cases.values():
        async with desk.app.store.begin(system("orchestration")) as tx:
            await usecases.propose_filings(tx, case, cause=Cause.APPROVAL, calendar=desk.app.calendar)
    return filing, cases


async def test_nothing_grows_with_the_city(desk):
    await lifecycle(desk)
    await seed(desk)
    async with desk.app.store.database.engine.connect() as connection:
        await connection.execute(text("vacuum analyze"))
    before = await passed(desk)
    assert {"matters", "filings", "cases", "documents", "deliveries", "journal"} <= before.keys()

    filing, cases = await lifecycle(desk)
    for path, name in (
        ("/v1/filings", ""),
        (f"/v1/filings/{filing}", ""),
        (f"/v1/filings/{filing}/timeline", ""),
        ("/v1/cases", "police"),
        ("/v1/cases?page_size=100", "health"),
        (f"/v1/cases/{cases['household_registration']}", "police"),
    ):
        answer = await desk.get(path, name)
        assert answer.status_code == 200, (path, answer.text)
    for job in desk.service.house.jobs:
        await job.run()
    await db.housekeeping(desk.app.store.database, desk.app.store._clock())

    after = await passed(desk)
    assert {name: after[name] - count for name, count in before.items() if after[name] > count} == {}


async def test_a_page_of_cases_costs_a_page(desk, others):
    await lifecycle(desk)
    await seed(desk)
    async with desk.app.store.database.engine.connect() as connection:
        for statement in (MOVE, WAIT, "vacuum analyze"):
            await connection.execute(text(statement))
    _, cases = await desk.submitted()
    departments = others.departments
    departments.employ("quiet", "zibo.quiet", "370303")
    departments.employ("line", "zibo.police", "370300")
    departments.posts["line"].line_paths.extend(["zibo.quiet.police", "zibo.quiet", "zibo.zhangdian.police"])

    for name, more, size in (
        *((name, "", 10) for name in ("health", "quiet", "line", "bureau")),
        ("health", "&status=approved", 10),
        ("health", "&status=ready", 2),
        ("bureau", "&status=declined", 0),
        ("health", "&undelivered=true", 10),
        ("bureau", "&undelivered=true", 10),
        ("quiet", "&undelivered=true", 0),
        ("health", "&undelivered=true&status=declined", 0),
    ):
        items, read = await listed(desk, f"/v1/cases?page_size=10{more}", name)
        ids = [item["case_id"] for item in items]
        assert (len(ids), ids) == (size, sorted(set(ids), reverse=True)), (name, more)
        assert read < 400, (name, more, read)
        assert size != 2 or set(ids) == {cases["birth_certificate"], cases["parenting_guidance"]}


async def test_pages_of_cases_follow_each_other(desk):
    for _ in range(3):
        await desk.submitted()
    whole = [item["case_id"] for item in (await desk.get("/v1/cases?page_size=100", "bureau")).json()["items"]]
    assert len(whole) == 21
    seen, cursor = [], ""
    while cursor is not None:
        page = (await desk.get(f"/v1/cases?page_size=4{cursor and '&cursor=' + cursor}", "bureau")).json()
        seen += [item["case_id"] for item in page["items"]]
        cursor = page["next_cursor"]
    assert seen == whole == sorted(whole, reverse=True)
