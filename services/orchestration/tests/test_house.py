"""The house as it lives: relay, consumers and jobs beside the doors."""

import asyncio
import time
from uuid import UUID

import pytest
from common.auth import system
from common.inbox import Fact
from orchestration import jobs, main
from orchestration.consumers import drop_post, subscriptions
from prometheus_client import REGISTRY
from tongban.accounts.v1 import account_events_pb2 as pb

from .desk import RESULTS, Desk


async def until(condition, seconds=20):
    deadline = time.monotonic() + seconds
    while not await condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.05)


@pytest.fixture
async def living(open_house, settings, who):
    service = await open_house(main.opened, main.house, settings, parts=("doors", "relay", "jobs"))
    async with Desk(service, who) as desk:
        await desk.publish()
        yield desk


async def test_results_come_by_themselves_and_every_fact_goes_out(living, others):
    filing, cases = await living.submitted()
    await living.pass_(cases, *RESULTS)

    async def closed():
        return (await living.filing(filing))["state"] == "closed"

    async def all_out():
        return not await living.rows("select id from outbox where published_at is null")

    await until(closed)
    await until(all_out)
    assert len(others.library.issued) == 3


async def test_many_filings_at_once_all_close(living, others):
    filings = await asyncio.gather(*(living.submitted() for _ in range(6)))

    async def pass_all(cases):
        await living.pass_(cases, "birth_certificate", "household_registration")
        await asyncio.gather(
            *(living.pass_(cases, i) for i in RESULTS if i not in {"birth_certificate", "household_registration"})
        )

    await asyncio.gather(*(pass_all(cases) for _, cases in filings))

    async def all_closed():
        return not await living.rows("select id from filings where state <> 'closed'")

    await until(all_closed, 40)
    assert len(others.library.issued) == 18
    assert not await living.motionless()
    doubled = await living.rows("select subject, count(*) from outbox group by 1, type having count(*) > 1")
    assert doubled == []


async def test_the_watch_measures_what_must_be_nothing(desk):
    await desk.submitted()
    await desk.rows("update cases set status = 'waiting' returning id")
    await desk.rows("update outbox set published_at = now() returning id")
    await jobs.watch(desk.app)
    assert REGISTRY.get_sample_value("orchestration_motionless_filings") == 1
    await desk.rows("update cases set status = 'ready' where item = 'birth_certificate' returning id")
    await jobs.watch(desk.app)
    assert REGISTRY.get_sample_value("orchestration_motionless_filings") == 0


async def test_a_post_that_changed_is_asked_anew_however_often_it_is_told(desk, others, clock, ids):
    _, cases = await desk.submitted()
    path = f"/v1/cases/{cases['birth_certificate']}"
    assert (await desk.get(path, "health")).status_code == 200
    others.departments.employ("health", "zibo.zichuan.health", "370302")
    assert (await desk.get(path, "health")).status_code == 200
    assert "orchestration-drop_post" in [each.durable for each in subscriptions]
    changed = pb.PostChanged(post_id="post-health", employee_id="health")
    fact = Fact(UUID(int=ids().int), changed, clock(), "service:accounts", "")
    for _ in range(2):
        async with desk.app.store.begin(
            system("orchestration"), once=[fact.id], consumer="orchestration-drop_post"
        ) as tx:
            await drop_post(desk.app, tx, fact)
    assert (await desk.get(path, "health")).status_code == 404
