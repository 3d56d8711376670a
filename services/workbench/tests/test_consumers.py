"""What orchestration tells becomes todos, in any order, each fact delivered twice."""

from datetime import timedelta
from itertools import permutations

import pytest
from uuid_utils.compat import uuid7

from .office import AT, accepted, decided, declined, pruned, ready, rescheduled, terminated, withdrawn


async def test_a_ready_case_is_a_todo(office, rows):
    case = ready()
    await office.orchestration.tell(case)
    (todo,) = await office.todos()
    assert (todo["title"], todo["state"], todo["stage"]) == ("出生登记(户口) 3703032026112300001", "open", "ready")
    assert (todo["source"], todo["source_id"]) == ("orchestration", case.case_id)
    assert (todo["promised_due_at"], todo["mine"], todo["claimed_by"]) == (None, False, None)
    assert len(await rows("SELECT 1 FROM todos")) == 1


@pytest.mark.parametrize("order", list(permutations(range(3))))
async def test_facts_may_overtake_each_other(office, order):
    case_id = str(uuid7())
    history = [ready(case_id), accepted(case_id), decided(case_id)]
    for place in order:
        await office.orchestration.tell(history[place])
    assert await office.todos() == []
    (todo,) = await office.todos("?state=done")
    assert (todo["source_id"], todo["stage"]) == (case_id, "done")
    assert todo["promised_due_at"] is not None
    assert todo["done_at"] is not None


async def test_acceptance_sets_the_due_time(office):
    todo = await office.open_one()
    await office.orchestration.tell(accepted(todo["source_id"]))
    (todo,) = await office.todos()
    assert (todo["stage"], todo["state"]) == ("accepted", "open")
    assert (todo["promised_due_at"], todo["statutory_due_at"]) == ("2026-11-26T01:00:00Z", "2026-12-13T01:00:00Z")


async def test_stopped_clocks_take_the_due_time_away_and_resumed_ones_bring_another(office):
    todo = await office.open_one()
    await office.orchestration.tell(accepted(todo["source_id"]), rescheduled(todo["source_id"]))
    (stopped,) = await office.todos()
    assert (stopped["stage"], stopped["promised_due_at"]) == ("accepted", None)
    await office.orchestration.tell(rescheduled(todo["source_id"], version=4, promised=AT + timedelta(days=9)))
    (resumed,) = await office.todos()
    assert resumed["promised_due_at"] == "2026-12-02T01:00:00Z"


@pytest.mark.parametrize("ended", [pruned, declined, withdrawn, terminated])
async def test_a_case_that_ends_undecided_leaves_the_list(office, ended):
    todo = await office.open_one()
    await office.orchestration.tell(ended(todo["source_id"]))
    assert await office.todos() == []
    assert (await office.ask("GET", f"/v1/todos/{todo['todo_id']}")).json()["state"] == "done"


async def test_an_early_fact_is_seen_by_nobody(office, rows):
    await office.orchestration.tell(decided(str(uuid7())))
    (row,) = await rows("SELECT todo_id FROM todos")
    for name in ("police", "city"):
        assert await office.todos("?state=done", name) == []
        assert (await office.ask("GET", f"/v1/todos/{row['todo_id']}", name)).status_code == 404


async def test_an_older_version_changes_nothing(office):
    todo = await office.open_one(version=5)
    await office.orchestration.tell(decided(todo["source_id"], version=4), ready(todo["source_id"], case_no="旧"))
    assert await office.todos() == [todo]


async def test_a_fact_that_makes_no_sense_is_put_aside(office, rows):
    case = ready()
    case.org_id = "nowhere"
    await office.orchestration.tell(case, ready())
    assert len(await office.todos()) == 1
    assert [row["consumer"] for row in await rows("SELECT consumer FROM dead_letters")] == ["workbench-open_todo"]


async def test_what_a_departments_own_system_handles_is_no_todo_until_it_is_handed_over(office):
    case = ready(app="cdc_vaccination")
    await office.orchestration.tell(case)
    assert await office.todos() == []
    case.app, case.version = "", 2
    await office.orchestration.tell(case)
    assert [todo["source_id"] for todo in await office.todos()] == [case.case_id]
