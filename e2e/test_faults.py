"""Fifty filings run while parts of the house are killed: every filing closes once, every case has one effect."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import pytest
from demo.browser import Browser, CallRefused
from demo.people import Cast

from demo import newborn
from tools.runner.control import Control

FILINGS = 50
# what is killed, one after the other, while the filings run: a service (with its relay and consumers), the broker, and
# the departments' own system
VICTIMS = (
    "orchestration",
    "nats",
    "department",
    "verification",
    "workbench",
    "orchestration",
    "department",
    "nats",
    "accounts",
    "gateway",
)
PAUSE = 3.0
LIMIT = 240
AWAY = {502, 503, 504, 429}


async def until_answered[T](ask: Callable[[], Awaitable[T]]) -> T:
    """Ask until somebody answers, as a patient client does: the same question with the same key."""
    while True:
        try:
            return await ask()
        except httpx.TransportError:
            pass
        except CallRefused as refused:
            if refused.status not in AWAY:
                raise
        await asyncio.sleep(0.3)


async def file(mother: Browser, serial: int) -> str:
    key = f"fault-{serial}"
    draft = await until_answered(lambda: newborn.draft(mother, serial, key=f"{key}-draft"))
    filing_id: str = draft["filing_id"]
    plan = await until_answered(lambda: newborn.plan(mother, filing_id))
    await until_answered(lambda: newborn.submit(mother, filing_id, plan["plan_digest"], key=f"{key}-submit"))
    return filing_id


async def attend(officer: Browser) -> None:
    """An officer works through the list until told to stop; what is refused as done already was done already."""
    while True:
        todos = await until_answered(lambda: newborn.open_todos(officer))
        for todo in todos:
            try:
                await until_answered(lambda todo=todo: newborn.handle(officer, todo, serial=7))
            except CallRefused as refused:
                if refused.status != 409:
                    raise
        await asyncio.sleep(0.2)


async def kill_one_after_the_other(control: Control) -> None:
    chance = random.Random(20261121)
    for victim in VICTIMS:
        await asyncio.sleep(PAUSE * chance.uniform(0.5, 1.5))
        await control.kill(victim, "KILL")
        await control.wait_ready(victim)


@pytest.fixture
async def officers_at_work(people: Cast) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(attend(officer)) for officer in people.officers.values()]
    yield
    for task in tasks:
        assert not task.done(), task.exception()
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@pytest.mark.timeout(LIMIT + 60)
async def test_kill_nine_loses_nothing_and_does_nothing_twice(
    people: Cast, consent: newborn.JSON, officers_at_work: None
) -> None:
    control = Control.from_environment()
    mother = people.mother

    async with asyncio.timeout(LIMIT):
        async with asyncio.TaskGroup() as group:
            group.create_task(kill_one_after_the_other(control))
            gate = asyncio.Semaphore(5)

            async def filed(serial: int) -> str:
                async with gate:
                    return await file(mother, serial)

            filings = [group.create_task(filed(1000 + serial)) for serial in range(FILINGS)]
        ids = [task.result() for task in filings]
        assert len(set(ids)) == FILINGS
        for filing_id in ids:
            while (await until_answered(lambda f=filing_id: newborn.filing(mother, f)))["state"] != "closed":  # noqa: ASYNC110 a client polls
                await asyncio.sleep(0.5)

    # every filing closed once, every case decided once, every result issued once
    for filing_id in ids:
        timeline = await until_answered(
            lambda f=filing_id: newborn.every(mother, f"orchestration/v1/filings/{f}/timeline")
        )
        acts = Counter(entry["act"] for entry in timeline)
        assert acts["orchestration.accept_case"] == 7
        assert acts["orchestration.approve_case"] == 7
        assert acts["orchestration.submit_filing"] == 1
    made = [
        case["licence_id"]
        for filing_id in ids
        for case in (await until_answered(lambda f=filing_id: newborn.filing(mother, f)))["cases"]
        if case["licence_id"]
    ]
    licences = await until_answered(lambda: newborn.every(mother, "verification/v1/me/licences"))
    held = Counter(licence["licence_id"] for licence in licences)
    assert len(set(made)) == len(made) == 3 * FILINGS
    assert all(held[licence_id] == 1 for licence_id in made)
