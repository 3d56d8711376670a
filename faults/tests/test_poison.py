"""Poison on every consumer of the house: put aside with a reason and counted, while everything else flows on."""

import asyncio
import os
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime
from uuid import uuid4

import httpx
import nats
import pytest
from faults.settings import Settings
from nats.errors import MaxPayloadError
from tongban.orchestration.v1 import case_events_pb2 as pb

from faults import campaign, reconciling, records

WITHIN = 30.0
KINDS = 5
NOBODY = "01a1ff1c-0000-7000-8000-000000000000"


async def eventually(look):
    deadline = time.monotonic() + WITHIN
    while not (seen := await look()):
        assert time.monotonic() < deadline, "still not so"
        await asyncio.sleep(0.1)
    return seen


@pytest.fixture
async def held():
    """The services' databases; what a test has put aside is forgotten at its end, as an operator forgets poison."""
    async with reconciling.opened(Settings()) as opened:
        yield opened
        await forget(opened)


async def forget(held):
    for database in held.values():
        await database.execute("delete from dead_letters")


@pytest.fixture
async def broker():
    client = await nats.connect(os.environ["TONGBAN_NATS_URL"])
    yield client
    await client.close()


def headers(kind, **other):
    return {
        "ce-id": str(uuid4()),
        "ce-type": kind,
        "ce-time": datetime.now(UTC).isoformat(),
        **other,
    }


async def letters(held):
    rows = [
        row for database in held.values() for row in await database.fetch("select consumer, reason from dead_letters")
    ]
    return Counter((row["consumer"], row["reason"]) for row in rows)


async def counted(service):
    async with httpx.AsyncClient(trust_env=False) as http:
        page = (await http.get(f"http://127.0.0.1:{os.environ[f'{service.upper()}_HTTP_PORT']}/metrics")).text
    lines = (line for line in page.splitlines() if line.startswith("tongban_consumer_parked_total"))
    return sum(float(line.rpartition(" ")[2]) for line in lines)


async def test_what_nobody_can_read_is_put_aside_with_a_reason_and_the_rest_flows_on(held, broker, worked):
    listening = [each for each in await records.consumers(Settings().tongban_nats_monitor_url) if each[1]["name"]]
    subjects = sorted({consumer["config"]["filter_subject"] for _, consumer in listening})
    services = {consumer["name"].partition("-")[0] for _, consumer in listening} & set(held)
    before = {service: await counted(service) for service in services}
    js = broker.jetstream()
    for subject in subjects:
        place = subject.replace("*", NOBODY)
        await js.publish(place, b"\xff\xff\xff", headers=headers("tongban.orchestration.v1.CaseReady"))
        await js.publish(place, b"", headers=headers("tongban.orchestration.v1.CaseForgotten"))
        await js.publish(place, b"", headers={"ce-id": str(uuid4())})
        await js.publish(place, b"")
        await js.publish(place, b"\x00" * 900_000, headers=headers("tongban.orchestration.v1.CaseReady"))

    wanted = {consumer["name"] for _, consumer in listening if consumer["name"].partition("-")[0] in held}

    async def all_put_aside():
        found = await letters(held)
        return found if all(found[(name, "UNREADABLE")] == KINDS for name in wanted) else None

    found = await eventually(all_put_aside)
    assert set(found) == {(name, "UNREADABLE") for name in wanted}
    for service in services:
        ours = sum(name.startswith(f"{service}-") for name in wanted)
        assert await counted(service) - before[service] == KINDS * ours

    await forget(held)
    result = await worked(campaign.Wanted(filings=1, within=90))
    assert {oracle: problems for oracle, problems in result.problems.items() if problems} == {}


async def test_the_broker_takes_nothing_that_is_too_large(broker):
    with pytest.raises(MaxPayloadError):
        await broker.jetstream().publish(f"evt.orchestration.v1.case.ready.{NOBODY}", b"\x00" * 2_000_000)


async def test_a_fact_about_a_case_that_nobody_knows_is_taken_and_shown_to_nobody(held, broker):
    case = str(uuid4())
    told = headers("tongban.orchestration.v1.CaseAccepted")
    body = pb.CaseAccepted(case_id=case, version=2).SerializeToString()
    await broker.jetstream().publish(f"evt.orchestration.v1.case.accepted.{case}", body, headers=told)

    async def handled():
        query = "select 1 from inbox where consumer = 'workbench-schedule_todo' and id::text = $1"
        return await held["workbench"].fetchval(query, told["ce-id"])

    await eventually(handled)
    assert await held["workbench"].fetchval("select title is null from todos where source_id = $1", case)
    assert not await letters(held)


async def test_what_was_mended_is_replayed_by_a_command(held, broker):
    case, told = str(uuid4()), headers("tongban.orchestration.v1.CaseReady")
    fact = pb.CaseReady(case_id=case, version=1, org_id="nowhere", org_path="zibo.zhangdian.health", item_name="试验")
    await broker.jetstream().publish(f"evt.orchestration.v1.case.ready.{case}", fact.SerializeToString(), headers=told)
    workbench = held["workbench"]
    reason = "select error from dead_letters where consumer = 'workbench-open_todo' and id::text = $1"
    assert await eventually(lambda: workbench.fetchval(reason, told["ce-id"])) == "org_id"

    fact.org_id = str(uuid4())
    mend = "update dead_letters set body = $2 where consumer = 'workbench-open_todo' and id::text = $1"
    await workbench.execute(mend, told["ce-id"], fact.SerializeToString())
    command = [sys.executable, "-m", "workbench.main", "replay", "--consumer", "workbench-open_todo"]
    done = await asyncio.to_thread(subprocess.run, command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:]
    replayed = "select replayed_at is not null from dead_letters where id::text = $1"
    assert await workbench.fetchval(replayed, told["ce-id"])
    title = "select title from todos where source_id = $1"
    assert "试验" in await workbench.fetchval(title, case)
    # it is nobody's case: whoever looked at the list would find no case behind it
    await workbench.execute("delete from todos where source_id = $1", case)
