"""The step loop of the house itself: orchestration's own use cases, its relay and consumers, and the workbench's.

Without HTTP, gRPC and tokens: the other services are answered for at once.
"""

import argparse
import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import uvloop
import yaml
from common import process, telemetry
from common.auth import Actor, Call
from common.permissions import Caller, Post
from orchestration import jobs, usecases
from orchestration import main as orchestration
from orchestration.domain.definition import Definition
from orchestration.domain.filing import Content
from orchestration.domain.plan import Department, Finding, Found, compile_plan
from orchestration.settings import Settings
from orchestration.store.matters import Published
from orchestration.usecases.filings import Ready
from pydantic import SecretStr, TypeAdapter
from uuid_utils.compat import uuid7

from bench import meter
from bench.contenders import servers
from bench.contenders.form import FORM, WARM_UP
from tools.runner.control import Control

MATTER = Path(__file__).parents[2] / "demo" / "matters" / "newborn.yaml"
REGION = "370303"
AT_ONCE = 6
# how it is started
WORKBENCH: tuple[str, ...] = ("workbench.main",)
RESULTS: dict[str, dict[str, str]] = {
    "birth_certificate": {"certificate_no": "A123456789"},
    "vaccination_certificate": {"certificate_no": "YZ2026001"},
    "household_registration": {"child_id_number": "370303190001010024"},
    "social_security_card": {"card_no": "A12345678"},
}


class Library:
    """The licence library, which answers at once."""

    async def issue(self, request: Any) -> str:
        return f"licence-{request.case_id}"


def the_matter() -> Definition:
    read = yaml.safe_load(MATTER.read_text("utf-8"))
    for item in read["items"]:
        item.pop("handled_by", None)
    adapter = TypeAdapter(Definition)
    return adapter.validate_json(adapter.dump_json(adapter.validate_python(read)))


def citizen(serial: int) -> Actor:
    person = f"00000000-0000-7000-8000-{serial:012d}"
    return Actor(Caller.CITIZEN, person, "", "gateway", "", 1, frozenset(), None, Call("bench"))


def officer(department: str) -> Actor:
    post = Post(f"post-{department}", department, "org", f"zibo.zhangdian.{department}", REGION, frozenset())
    return Actor(Caller.OFFICER, department, "", "gateway", "", 2, frozenset(), post, Call("bench"))


class Loop:
    """Filings through orchestration's own verbs."""

    def __init__(self, app: Any, definition: Definition, desk: int) -> None:
        self.app = app
        self.desk = desk
        self.definition = definition
        self._officers = {code: officer(code) for code in definition.departments}
        self._departments = {
            code: Department(
                code,
                f"00000000-0000-7000-8000-{place:012d}",
                f"zibo.zhangdian.{code}",
                REGION,
                "11370303MB9TD00551",
                code,
            )
            for place, code in enumerate(definition.departments, 100)
        }
        self._findings = {
            each.code: Finding(Found.VERIFIED, f"licence-{each.code}", 1)
            for each in definition.requirements
            if each.licence_type
        }

    async def publish(self) -> None:
        async with self.app.store.begin(officer("health")) as tx:
            definition = self.definition
            published = Published(
                definition.code, 1, definition.name, date(2026, 1, 1), definition.checksum, tx.unit.at
            )
            await tx.matters.add(definition, published)

    async def run(self, serial: int) -> str:
        """Draft, submit, then accept and approve each of its cases; gives the filing's id."""
        store, calendar = self.app.store, self.app.calendar
        mother = citizen(serial)
        async with store.begin(mother) as tx:
            content = Content(form=FORM, answers={"mother_insured": "insured"})
            dossier = await usecases.draft_filing(tx, matter_code="newborn", region_code=REGION, content=content)
            at = tx.unit.at
        plan = compile_plan(
            self.definition,
            1,
            dossier.draft,
            departments=self._departments,
            findings=self._findings,
            calendar=calendar,
            at=at,
        )
        async with store.begin(mother) as tx:
            ready = Ready(dossier.filing.revision, plan, self._findings)
            submitted = await usecases.submit_filing(tx, dossier.filing.id, ready)
        by_item = {case.item: case.id for case in submitted.filing.cases}
        for item in self.definition.items:
            if item.code not in by_item:
                continue
            actor = self._officers[item.department]
            async with store.begin(actor) as tx:
                await usecases.accept_case(tx, by_item[item.code], calendar=calendar)
            async with store.begin(actor) as tx:
                await usecases.approve_case(tx, by_item[item.code], result=RESULTS.get(item.code, {}))
            self.app.calls_due.set()
        return str(dossier.filing.id)


@asynccontextmanager
async def workbench() -> AsyncIterator[int]:
    """The workbench's consumers, in a process of their own as in a real house; gives its number."""
    desk = await servers.database("workbench")
    beside = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", *WORKBENCH, "serve", "--only", "consumers"),
        env={**os.environ, "WORKBENCH_DATABASE_URL": desk},
        stdout=asyncio.subprocess.DEVNULL,
    )
    try:
        yield beside.pid
    finally:
        beside.terminate()
        await beside.wait()


@asynccontextmanager
async def opened() -> AsyncIterator[Loop]:
    """Orchestration on a database of its own, without doors, and the workbench beside it."""
    own = await servers.database("orchestration")
    await servers.forget_streams()
    settings = Settings().model_copy(update={"database_url": SecretStr(own)})
    stop = asyncio.Event()
    async with (
        workbench() as desk,
        orchestration.opened(settings, clock=process.now, ids=uuid7) as made,
        asyncio.TaskGroup() as group,
    ):
        app = replace(made, outside=SimpleNamespace(verification=Library()))
        loop = Loop(app, the_matter(), desk)
        await loop.publish()
        parts = ("relay", "consumers")
        living = group.create_task(
            process.live(orchestration.house(app), app, stop=stop, parts=parts, clock=process.now)
        )

        async def calls() -> None:
            while not stop.is_set():
                await jobs.run_calls(app)

        calling = group.create_task(calls())
        try:
            yield loop
        finally:
            stop.set()
            app.calls_due.set()
            await asyncio.gather(living, calling)


async def several(loop: Loop, serials: range) -> None:
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(serial: int) -> None:
        async with gate:
            await loop.run(serial)

    await asyncio.gather(*(one(serial) for serial in serials))


async def drained(loop: Loop) -> None:
    """All filings are closed, everything is published, and every consumer has handled everything."""
    engine = loop.app.store.database.engine

    async def so() -> bool:
        async with engine.connect() as connection:
            query = (
                "select (select count(*) from filings where state <> 'closed')"
                " + (select count(*) from outbox where published_at is null)"
            )
            waiting = (await connection.exec_driver_sql(query)).scalar_one()
        return waiting == 0 and await servers.consumed("EVT_ORCHESTRATION")

    await meter.until(so, within=120, what="filings closed, facts consumed", every=0.05)


async def measure(filings: int) -> dict[str, object]:
    control = Control.from_environment()
    async with opened() as loop:
        await several(loop, range(WARM_UP))
        await drained(loop)
        rows = await servers.rows("orchestration"), await servers.rows("workbench")
        before, own = await meter.by_part(control) | {"workbench": meter.spent(loop.desk)}, time.process_time()
        begun = time.perf_counter()
        await several(loop, range(100, 100 + filings))
        decided = time.perf_counter() - begun
        await drained(loop)
        seconds = time.perf_counter() - begun
        cpu = {"orchestration": 1000 * (time.process_time() - own) / filings}
        after = await meter.by_part(control) | {"workbench": meter.spent(loop.desk)}
        written = [await servers.rows("orchestration"), await servers.rows("workbench")]
    cpu |= {name: 1000 * (after[name] - before[name]) / filings for name in ("workbench", "postgres", "nats")}
    return {
        "filings": filings,
        "filings_per_second": round(filings / seconds, 2),
        "decided_per_second": round(filings / decided, 2),
        "cpu_ms_per_filing": {name: round(each, 2) for name, each in cpu.items()}
        | {"all": round(sum(cpu.values()), 2)},
        "rows_per_filing": {
            name: round((now[name] - then[name]) / filings, 1)
            for then, now in zip(rows, written, strict=True)
            for name in now
            if now[name] > then[name]
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("result", type=Path)
    parser.add_argument("--filings", type=int, default=40)
    arguments = parser.parse_args()
    telemetry.setup("bench")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        result = runner.run(measure(arguments.filings))
    arguments.result.write_text(json.dumps(result))


if __name__ == "__main__":
    main()
