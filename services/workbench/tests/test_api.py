"""The todo list at the HTTP door: lists, counts, claims, scopes."""

import asyncio
from datetime import timedelta

import pytest
from tongban.workbench.v1 import todo_events_pb2

from .office import AT, accepted, claim, decided, ready


async def test_one_officer_claims(office, facts):
    todo = await office.open_one()
    claimed = await office.ask("POST", claim(todo))
    assert (claimed.status_code, claimed.json()["state"], claimed.json()["mine"]) == (200, "claimed", True)
    again = await office.ask("POST", claim(todo))
    assert (again.status_code, again.json()["mine"], again.json()["claimed_by"]) == (200, True, "户籍窗口民警")
    second = await office.ask("POST", claim(todo), "police2")
    assert (second.status_code, second.json()["reason"]) == (409, "TODO_ALREADY_CLAIMED")
    assert second.json()["data"]["post"] == "户籍窗口民警"
    assert second.json()["detail"] == "该待办已由“户籍窗口民警”认领"
    (fact,) = await facts("TodoClaimed")
    assert (fact.todo_id, fact.source, fact.source_id) == (todo["todo_id"], "orchestration", todo["source_id"])
    assert (fact.post_id, fact.version) == ("post-police", 1)


async def test_of_two_at_once_one_wins(office, facts):
    for _ in range(5):
        todo = await office.open_one()
        answers = await asyncio.gather(*(office.ask("POST", claim(todo), name) for name in ("police", "police2")))
        assert sorted(answer.status_code for answer in answers) == [200, 409]
    assert len(await facts("TodoClaimed")) == 5


async def test_what_is_done_cannot_be_claimed(office):
    todo = await office.open_one()
    await office.orchestration.tell(decided(todo["source_id"]))
    answer = await office.ask("POST", claim(todo))
    assert (answer.status_code, answer.json()["reason"]) == (409, "TODO_ALREADY_DONE")


async def test_lists_and_counts_follow_the_state(office):
    first, second, third = [await office.open_one() for _ in range(3)]
    await office.ask("POST", claim(second))
    await office.ask("POST", claim(third), "police2")
    counts = (await office.ask("GET", "/v1/todos/counts")).json()
    assert counts == {"open": 1, "claimed": 2, "waiting": 0, "done": 0, "mine": 1, "yellow": 0, "red": 0, "line": None}
    assert [todo["todo_id"] for todo in await office.todos()] == [first["todo_id"]]
    claimed = await office.todos("?state=claimed")
    assert {(todo["todo_id"], todo["mine"]) for todo in claimed} == {
        (second["todo_id"], True),
        (third["todo_id"], False),
    }
    assert [todo["todo_id"] for todo in await office.todos("?state=claimed&mine=true")] == [second["todo_id"]]
    await office.orchestration.tell(accepted(second["source_id"]), decided(second["source_id"]))
    assert [todo["todo_id"] for todo in await office.todos("?state=done&mine=true")] == [second["todo_id"]]
    counts = (await office.ask("GET", "/v1/todos/counts")).json()
    assert counts == {"open": 1, "claimed": 1, "waiting": 0, "done": 1, "mine": 0, "yellow": 0, "red": 0, "line": None}


async def test_what_is_due_first_comes_first_page_by_page(office):
    cases = [ready(at=AT + timedelta(hours=hour)) for hour in (3, 1, 2, 1, 0)]
    late = cases[4]
    await office.orchestration.tell(*cases, accepted(late.case_id, promised=AT + timedelta(days=9)))
    seen, cursor = [], ""
    while cursor is not None:
        page = (await office.ask("GET", f"/v1/todos?page_size=2{cursor}")).json()
        seen += [todo["source_id"] for todo in page["items"]]
        cursor = f"&cursor={page['next_cursor']}" if page["next_cursor"] else None
    assert len(seen) == len(set(seen)) == 5
    assert set(seen[:2]) == {cases[1].case_id, cases[3].case_id}
    assert seen[2:] == [cases[2].case_id, cases[0].case_id, late.case_id]


@pytest.mark.parametrize("query", ["state=lost", "cursor=nonsense", "page_size=0", "page_size=101", "mine=perhaps"])
async def test_a_list_that_cannot_be_given(office, query):
    assert (await office.ask("GET", f"/v1/todos?{query}")).status_code == 422


async def test_outside_the_scope_there_is_nothing(office):
    todo = await office.open_one()
    for name in ("zichuan", "civil"):
        assert await office.todos(name=name) == []
        assert (await office.ask("GET", "/v1/todos/counts", name)).json()["open"] == 0
        for method, path in (("GET", f"/v1/todos/{todo['todo_id']}"), ("POST", claim(todo))):
            answer = await office.ask(method, path, name)
            assert (answer.status_code, answer.json()["reason"]) == (404, "TODO_NOT_FOUND")
    assert [seen["todo_id"] for seen in await office.todos(name="city")] == [todo["todo_id"]]


async def test_a_claim_is_journalled(office, rows):
    todo = await office.open_one()
    await office.ask("POST", claim(todo))
    (act,) = await rows("SELECT act, actor_id, post_id, subject_id FROM journal")
    assert tuple(act) == ("workbench.claim_todo", "police", "post-police", todo["todo_id"])


def test_the_fact_carries_no_name():
    assert {field.name for field in todo_events_pb2.TodoClaimed.DESCRIPTOR.fields} == {
        "todo_id",
        "source",
        "source_id",
        "post_id",
        "version",
        "claimed_at",
    }
