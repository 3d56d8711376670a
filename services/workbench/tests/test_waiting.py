"""Todos wait while their applicant supplements: in nobody's hands, never overdue, and back where they were."""

from datetime import timedelta
from itertools import permutations

import pytest
from uuid_utils.compat import uuid7
from workbench import jobs

from .office import AT, accepted, claim, decided, ready, supplement_requested, supplemented, terminated

SINCE, UNTIL = "2026-11-23T01:00:00Z", "2026-12-03T01:00:00Z"
NOTHING = {"open": 0, "claimed": 0, "waiting": 0, "done": 0, "mine": 0, "yellow": 0, "red": 0, "line": None}


async def counts(office, name="police"):
    return (await office.ask("GET", "/v1/todos/counts", name)).json()


async def seen(office, todo, name="police"):
    return (await office.ask("GET", f"/v1/todos/{todo['todo_id']}", name)).json()


async def test_it_waits_since_and_until_and_is_in_nobodys_count(office):
    todo = await office.open_one()
    await office.ask("POST", claim(todo))
    await office.orchestration.tell(supplement_requested(todo["source_id"]))
    assert await counts(office) == NOTHING | {"waiting": 1}
    assert await office.todos() == await office.todos("?state=claimed") == []
    (waiting,) = await office.todos("?state=waiting&mine=true")
    assert (waiting["waiting_since"], waiting["waiting_until"]) == (SINCE, UNTIL)
    assert (waiting["state"], waiting["colour"], waiting["claimed_by"]) == ("waiting", None, "户籍窗口民警")
    await office.orchestration.tell(supplemented(todo["source_id"]))
    assert await counts(office) == NOTHING | {"claimed": 1, "mine": 1}
    back = await seen(office, todo)
    assert (back["state"], back["mine"], back["waiting_since"], back["colour"]) == ("claimed", True, None, "green")


async def test_what_waits_is_not_overdue_and_reminds_nobody(office, clock):
    todo = await office.open_one()
    case_id = todo["source_id"]
    await office.orchestration.tell(accepted(case_id), supplement_requested(case_id, version=3))
    clock.advance(timedelta(days=9))
    assert await counts(office) == NOTHING | {"waiting": 1}
    await jobs.remind(office.living.app)
    assert (await office.ask("GET", "/v1/messages/counts")).json() == {"unread": 0}
    await office.orchestration.tell(supplemented(case_id, version=4))
    assert await counts(office) == NOTHING | {"open": 1, "red": 1}


async def test_what_nobody_claimed_comes_back_to_everybody(office):
    todo = await office.open_one()
    await office.orchestration.tell(supplement_requested(todo["source_id"]), supplemented(todo["source_id"]))
    assert [each["todo_id"] for each in await office.todos(name="police2")] == [todo["todo_id"]]


async def test_who_goes_away_meanwhile_does_not_get_it_back(office, facts):
    todo = await office.open_one()
    await office.ask("POST", claim(todo))
    await office.orchestration.tell(supplement_requested(todo["source_id"]))
    await office.ask("POST", "/v1/absence", body={"returns_on": "2026-11-30"})
    assert ((await seen(office, todo))["state"], len(await facts("TodoReturned"))) == ("waiting", 1)
    await office.orchestration.tell(supplemented(todo["source_id"]))
    assert (await seen(office, todo))["state"] == "open"


@pytest.mark.parametrize("end", [decided, terminated])
async def test_it_ends_with_its_case(office, end):
    todo = await office.open_one()
    await office.orchestration.tell(supplement_requested(todo["source_id"]), end(todo["source_id"], version=3))
    assert await counts(office) == NOTHING | {"done": 1}
    assert (await seen(office, todo))["waiting_since"] is None


@pytest.mark.parametrize("order", list(permutations(range(4))))
async def test_facts_may_overtake_each_other(office, order):
    case_id = str(uuid7())
    history = [
        ready(case_id),
        supplement_requested(case_id),
        supplemented(case_id),
        accepted(case_id, version=4, promised=AT + timedelta(days=30)),
    ]
    for place in order:
        await office.orchestration.tell(history[place])
    (todo,) = await office.todos()
    assert (todo["state"], todo["stage"], todo["waiting_since"]) == ("open", "accepted", None)


async def test_a_late_request_does_not_make_a_decided_todo_wait(office):
    todo = await office.open_one()
    await office.orchestration.tell(decided(todo["source_id"], version=4), supplement_requested(todo["source_id"]))
    assert await counts(office) == NOTHING | {"done": 1}
