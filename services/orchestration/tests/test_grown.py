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


async def passed(desk):
    """What has been read through so far; servers' processes tell when their connections close."""
    await desk.app.store.database.engine.dispose()
    async with desk.app.store.database.engine.connect() as connection:
        await connection.execute(text("select pg_stat_force_next_flush()"))
        return dict((await connection.execute(text(PASSED))).all())


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
