"""Reminders: one working day before the promise runs out, once, to whoever has the todo."""

import asyncio
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from workbench import jobs

from .office import accepted, claim, decided, ready

SHANGHAI = ZoneInfo("Asia/Shanghai")
# promised for the end of Friday; a working day before is the end of Thursday
FRIDAY = datetime(2026, 11, 27, 17, 30, tzinfo=SHANGHAI)
EARLY = datetime(2026, 11, 26, 17, 29, tzinfo=SHANGHAI)
TIME = datetime(2026, 11, 26, 17, 30, tzinfo=SHANGHAI)


async def due(office, *, claimer=""):
    todo = await office.open_one()
    await office.orchestration.tell(accepted(todo["source_id"], promised=FRIDAY))
    if claimer:
        await office.ask("POST", claim(todo), claimer)
    return todo


async def reminders(office, name):
    items = (await office.ask("GET", "/v1/messages?page_size=100", name)).json()["items"]
    return [message for message in items if message["kind"] == "todo_due"]


async def test_the_claimer_is_reminded_once_by_two_replicas(office, replica, clock):
    todo = await due(office, claimer="police")
    apps = (office.living.app, replica.living.app)
    clock.set(EARLY)
    await asyncio.gather(*(jobs.remind(app) for app in apps))
    assert await reminders(office, "police") == []
    clock.set(TIME)
    for _ in range(3):
        await asyncio.gather(*(jobs.remind(app) for app in apps))
    (reminder,) = await reminders(office, "police")
    assert (reminder["title"], reminder["source_id"]) == ("待办将到期", todo["todo_id"])
    assert reminder["body"] == f"“{todo['title']}”的承诺时限将于 2026-11-27 17:30 届满，请及时办理。"
    assert await reminders(office, "police2") == []


async def test_of_an_unclaimed_todo_the_whole_organisation_is_reminded(office, clock):
    await due(office)
    clock.set(TIME)
    await jobs.remind(office.living.app)
    for name in ("police", "police2"):
        assert len(await reminders(office, name)) == 1
    for name in ("zichuan", "civil", "city"):
        assert await reminders(office, name) == []
    # each reads for himself or herself
    (reminder,) = await reminders(office, "police")
    await office.ask("POST", f"/v1/messages/{reminder['message_id']}:read", "police")
    unread = [(await office.ask("GET", "/v1/messages/counts", name)).json() for name in ("police", "police2")]
    assert unread == [{"unread": 0}, {"unread": 1}]


async def test_what_is_done_reminds_nobody(office, clock):
    todo = await due(office, claimer="police")
    await office.orchestration.tell(decided(todo["source_id"]))
    clock.set(TIME)
    await jobs.remind(office.living.app)
    assert await reminders(office, "police") == []


@pytest.mark.parametrize("replicas", [1, 2])
async def test_a_full_morning_of_reminders_passes(office, replica, clock, replicas):
    cases = [ready(case_no=str(number)) for number in range(230)]
    await office.orchestration.tell(*cases, *(accepted(case.case_id, promised=FRIDAY) for case in cases))
    clock.set(TIME)
    await asyncio.gather(*(jobs.remind(each.living.app) for each in (office, replica)[:replicas]))
    assert (await office.ask("GET", "/v1/messages/counts", "police")).json() == {"unread": 230}
