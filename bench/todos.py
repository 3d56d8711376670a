"""The todo list and the counts of a busy officer, with ten thousand open todos, at the workbench's own door.

python -m bench
"""

import argparse
import asyncio
import os

import asyncpg
import uvloop
from demo.people import cast
from demo.settings import Settings

from bench import meter
from bench.direct import Target, ask, service_url, token_of
from demo import city, loader
from tools.runner.control import Control

AIM_MS = 20
OFFICER = "police"
MARK = "bench-todos"
_FILL = """
insert into todos (todo_id, source, source_id, version, stage, state, revision, described_version, title, org_id,
                   org_path, region_code, ready_at, due_version, promised_due_at, statutory_due_at, yellow_at,
                   remind_at, waiting_version, kind, matter_code, item_code)
select gen_random_uuid(), $1, n::text, 2, 'accepted', 'open', 1, 1, '出生登记(户口) ' || n, $2::uuid, $3, $4,
       now() - n * interval '1 minute', 2, now() + (n - 500) * interval '1 minute',
       now() + n * interval '1 hour', now() + (n - 1000) * interval '1 minute', now() + interval '9 days', 0,
       'case', 'newborn', '000709003000'
from generate_series(1, $5::int) as n"""

# Five times as many were done in years gone by: lists and counts must not pass by them.
_PAST = """
insert into todos (todo_id, source, source_id, version, stage, state, revision, described_version, title, org_id,
                   org_path, region_code, ready_at, due_version, promised_due_at, statutory_due_at, yellow_at,
                   waiting_version, kind, matter_code, item_code, done_at)
select gen_random_uuid(), source, source_id || '-' || n, 3, 'done', 'done', 1, 1, title, org_id, org_path, region_code,
       ready_at - n * interval '1 year', 2, promised_due_at - n * interval '1 year',
       statutory_due_at - n * interval '1 year', yellow_at - n * interval '1 year', 0, kind, matter_code, item_code,
       ready_at - n * interval '1 year'
from todos, generate_series(1, 5) as n where source = $1"""


async def fill(count: int) -> None:
    employee = next(each for each in city.employees() if each["username"] == OFFICER)
    org = city.organisation(employee["org_path"])
    connection = await asyncpg.connect(os.environ["WORKBENCH_DATABASE_URL"].replace("+asyncpg", ""))
    try:
        await connection.execute("delete from todos where source = $1", MARK)
        where = (org["org_id"], org["org_path"], org["region_code"])
        await connection.execute(_FILL, MARK, *where, count)
        await connection.execute(_PAST, MARK)
        await connection.execute("vacuum analyze todos")
    finally:
        await connection.close()


async def forget() -> None:
    connection = await asyncpg.connect(os.environ["WORKBENCH_DATABASE_URL"].replace("+asyncpg", ""))
    try:
        await connection.execute("delete from todos where source = $1", MARK)
    finally:
        await connection.close()


async def measure(count: int, calls: int) -> dict[str, object]:
    settings = Settings()
    control = Control.from_environment()
    await loader.load(settings, told=lambda *_: None)
    await fill(count)
    result: dict[str, object] = {"open": count}
    try:
        async with cast(settings) as people:
            browser = people.officers[OFFICER]
            headers = {"Authorization": f"Bearer {await token_of(browser)}", "X-Post": browser.post_id or ""}
            door = service_url(os.environ, "workbench")
            for name, path in (
                ("list_20", "/v1/todos?state=open&page_size=20"),
                ("list_100", "/v1/todos?state=open&page_size=100"),
                ("counts", "/v1/todos/counts"),
            ):
                target = Target(door + path, headers)
                await ask(target, users=1, calls=20)
                before = await meter.by_part(control, ("workbench", "postgres"))
                answers = await ask(target, users=1, calls=calls)
                after = await meter.by_part(control, ("workbench", "postgres"))
                told = meter.percentiles(answers.took)
                result[name] = {
                    **told,
                    "cpu_ms_per_call": meter.difference(before, after, calls),
                    "aim_ms": AIM_MS,
                    "met": told["p99_ms"] < AIM_MS,
                }
    finally:
        await forget()
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--todos", type=int, default=10_000)
    parser.add_argument("--calls", type=int, default=300)
    arguments = parser.parse_args()
    machine = meter.machine()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        result = runner.run(measure(arguments.todos, arguments.calls))
    command = f"python -m bench.todos --todos {arguments.todos} --calls {arguments.calls}"
    meter.write("todos", {**result, "machine": machine, "command": command})


if __name__ == "__main__":
    main()
