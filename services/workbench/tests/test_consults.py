"""Consulting another department: a todo of its own there, one answer back."""

import asyncio

import pytest

from .office import claim, decided


def asking(**other):
    return {"department": "civil_affairs", "question": "父母的婚姻登记是否有效？", "due_on": "2026-11-26"} | other


async def claimed(office):
    todo = await office.open_one()
    await office.ask("POST", claim(todo))
    return todo


async def ask(office, todo, name="police", **other):
    return await office.ask("POST", f"/v1/todos/{todo['todo_id']}:consult", name, asking(**other))


async def answer(office, todo, name="civil"):
    return await office.ask("POST", f"/v1/todos/{todo['todo_id']}:answer", name, {"answer": "登记有效，无异议。"})


async def test_a_department_is_asked_and_answers(office, rows):
    todo = await claimed(office)
    asked = await ask(office, todo)
    assert (asked.status_code, asked.json()["department"], asked.json()["answer"]) == (200, "民政局", None)
    assert asked.json()["due_at"] == "2026-11-26T09:30:00Z"
    # the other department sees a todo with its own due day, not the case's todo
    (theirs,) = await office.todos("?kind=consult", "civil")
    assert theirs["title"] == f"征求意见：{todo['title']}"
    assert (theirs["promised_due_at"], theirs["colour"]) == ("2026-11-26T09:30:00Z", "green")
    assert (await office.ask("GET", "/v1/messages", "civil")).json()["items"][0]["kind"] == "consult_asked"
    (seen,) = (await office.ask("GET", f"/v1/todos/{theirs['todo_id']}/consults", "civil")).json()["items"]
    assert (seen["question"], seen["asked_by"]) == ("父母的婚姻登记是否有效？", "户籍窗口民警")
    unclaimed = await answer(office, theirs)
    assert (unclaimed.status_code, unclaimed.json()["reason"]) == (409, "TODO_NOT_CLAIMED")
    await office.ask("POST", claim(theirs), "civil")
    assert (await answer(office, theirs)).json()["answer"] == "登记有效，无异议。"
    again = await answer(office, theirs)
    assert (again.status_code, again.json()["reason"]) == (409, "CONSULT_ALREADY_ANSWERED")
    assert (await office.ask("GET", f"/v1/todos/{theirs['todo_id']}", "civil")).json()["state"] == "done"
    # the answer is told to who asked, and stands with the case's todo
    told = (await office.ask("GET", "/v1/messages")).json()["items"][0]
    assert (told["kind"], told["title"]) == ("consult_answered", "征求意见已答复")
    (back,) = (await office.ask("GET", f"/v1/todos/{todo['todo_id']}/consults")).json()["items"]
    assert (back["answer"], back["answered_by"]) == ("登记有效，无异议。", "婚姻登记员")
    for row in await rows("SELECT question, answer FROM consults"):
        assert "婚姻".encode() not in row["question"]
        assert "登记".encode() not in row["answer"]


async def test_two_answers_at_once_one_stands(office):
    todo = await claimed(office)
    await ask(office, todo)
    (theirs,) = await office.todos("?kind=consult", "civil")
    await office.ask("POST", claim(theirs), "civil")
    answers = await asyncio.gather(*(answer(office, theirs) for _ in range(3)))
    assert sorted(each.status_code for each in answers) == [200, 409, 409]
    assert len((await office.ask("GET", "/v1/messages")).json()["items"]) == 1


@pytest.mark.parametrize(
    ("other", "status", "reason"),
    [
        ({"department": "nowhere"}, 409, "DEPARTMENT_UNKNOWN"),
        ({"department": "police"}, 409, "DEPARTMENT_UNKNOWN"),
        ({"due_on": "2026-11-23"}, 422, "DUE_UNFIT"),
        ({"due_on": "2027-11-23"}, 422, "DUE_UNFIT"),
        ({"question": " "}, 422, "REQUEST_INVALID"),
        ({"department": "NO"}, 422, "REQUEST_INVALID"),
    ],
)
async def test_a_consult_that_cannot_be_asked(office, other, status, reason):
    todo = await claimed(office)
    refused = await ask(office, todo, **other)
    assert (refused.status_code, refused.json()["reason"]) == (status, reason)


async def test_only_who_has_the_todo_asks(office):
    todo = await office.open_one()
    assert (await ask(office, todo)).json()["reason"] == "TODO_NOT_CLAIMED"
    await office.ask("POST", claim(todo))
    assert (await ask(office, todo, "police2")).json()["reason"] == "TODO_ALREADY_CLAIMED"
    assert (await ask(office, todo, "civil")).status_code == 404
    await office.orchestration.tell(decided(todo["source_id"]))
    assert (await ask(office, todo)).json()["reason"] == "TODO_ALREADY_DONE"


async def test_a_todo_that_asks_nothing_is_not_answered(office):
    todo = await claimed(office)
    refused = await answer(office, todo, "police")
    assert (refused.status_code, refused.json()["reason"]) == (404, "CONSULT_NOT_FOUND")
    assert (await office.ask("GET", f"/v1/todos/{todo['todo_id']}/consults")).json() == {"items": []}
