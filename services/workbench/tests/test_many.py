"""Many todos at once: each row that cannot be done is told with its reason, and the rest is done."""

import asyncio

import pytest
from uuid_utils.compat import uuid7

from .office import claim, decided


async def many(office, verb, todos, name="police", **more):
    ids = [todo["todo_id"] for todo in todos]
    return await office.ask("POST", f"/v1/todos:{verb}", name, {"todo_ids": ids} | more)


def said(answer):
    assert answer.status_code == 200, answer.text
    return [row["reason"] for row in answer.json()["items"]]


async def test_one_failure_is_told_and_the_rest_is_claimed(office, facts):
    free, taken, done, own = [await office.open_one() for _ in range(4)]
    await office.ask("POST", claim(taken), "police2")
    await office.ask("POST", claim(own))
    await office.orchestration.tell(decided(done["source_id"]))
    nowhere = {"todo_id": str(uuid7())}
    answer = await many(office, "claim", [done, taken, free, nowhere, own, free])
    assert said(answer) == ["TODO_ALREADY_DONE", "TODO_ALREADY_CLAIMED", None, "TODO_NOT_FOUND", None]
    rows = answer.json()["items"]
    assert [row["todo_id"] for row in rows] == [each["todo_id"] for each in (done, taken, free, nowhere, own)]
    assert rows[1]["detail"] == "该待办已由“户籍窗口民警(二)”认领"
    assert (rows[2]["todo"]["mine"], rows[0]["todo"]) == (True, None)
    assert len(await facts("TodoClaimed")) == 3


async def test_one_failure_is_told_and_the_rest_is_given_back(office, facts, rows):
    mine, theirs, free = [await office.open_one() for _ in range(3)]
    await office.ask("POST", claim(mine))
    await office.ask("POST", claim(theirs), "police2")
    answer = await many(office, "return", [theirs, mine, free], reason="窗口轮换")
    assert said(answer) == ["TODO_ALREADY_CLAIMED", None, "TODO_NOT_CLAIMED"]
    assert [fact.todo_id for fact in await facts("TodoReturned")] == [mine["todo_id"]]
    acts = await rows("SELECT subject_id FROM journal WHERE act = 'workbench.return_todo'")
    assert [row["subject_id"] for row in acts] == [mine["todo_id"]]


async def test_who_is_absent_or_elsewhere_claims_none(office):
    todos = [await office.open_one() for _ in range(2)]
    await office.ask("POST", "/v1/absence", body={"returns_on": "2026-11-30"})
    assert said(await many(office, "claim", todos)) == ["POST_ABSENT"] * 2
    assert said(await many(office, "claim", todos, "zichuan")) == ["TODO_NOT_FOUND"] * 2
    assert len(await office.todos()) == 2


async def test_two_who_claim_the_same_rows_share_them(office, facts):
    todos = [await office.open_one() for _ in range(6)]
    answers = await asyncio.gather(
        many(office, "claim", todos), many(office, "claim", list(reversed(todos)), "police2")
    )
    claimed = [reason for answer in answers for reason in said(answer)]
    assert (claimed.count(None), claimed.count("TODO_ALREADY_CLAIMED")) == (6, 6)
    assert len(await facts("TodoClaimed")) == 6


async def test_the_same_request_twice_is_one(office, facts):
    todo = await office.open_one()
    body, key = {"todo_ids": [todo["todo_id"]]}, {"Idempotency-Key": "many"}
    first, second = [await office.ask("POST", "/v1/todos:claim", body=body, **key) for _ in range(2)]
    assert first.json() == second.json()
    assert len(await facts("TodoClaimed")) == 1


@pytest.mark.parametrize("todo_ids", [[], ["no id"], [str(uuid7()) for _ in range(101)], None])
async def test_what_names_no_todos_is_refused(office, todo_ids):
    assert (await office.ask("POST", "/v1/todos:claim", body={"todo_ids": todo_ids})).status_code == 422
