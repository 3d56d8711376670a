"""Todos move between posts: given back, reassigned, released by absence; found by what they are about."""

import asyncio
from datetime import timedelta

import pytest

from .office import AT, accepted, claim, decided, ready

ABSENCE = {"returns_on": "2026-11-30"}


def back(todo):
    return f"/v1/todos/{todo['todo_id']}:return"


def reassign(todo):
    return f"/v1/todos/{todo['todo_id']}:reassign"


def to(name, revision=0):
    return {"post_id": f"post-{name}", "revision": revision}


async def test_what_is_given_back_is_open_with_the_reason(office, facts, rows):
    todo = await office.open_one()
    await office.ask("POST", claim(todo))
    foreign = await office.ask("POST", back(todo), "police2", {"reason": "不是我的"})
    assert (foreign.status_code, foreign.json()["reason"]) == (409, "TODO_ALREADY_CLAIMED")
    answer = await office.ask("POST", back(todo), body={"reason": "应由出生证窗口先办"})
    assert (answer.status_code, answer.json()["state"], answer.json()["mine"]) == (200, "open", False)
    seen = (await office.ask("GET", f"/v1/todos/{todo['todo_id']}", "police2")).json()
    assert (seen["returned_by"], seen["return_reason"]) == ("户籍窗口民警", "应由出生证窗口先办")
    again = await office.ask("POST", back(todo), body={"reason": "再退"})
    assert (again.status_code, again.json()["reason"]) == (409, "TODO_NOT_CLAIMED")
    assert (await office.ask("POST", claim(todo), "police2")).status_code == 200
    (fact,) = await facts("TodoReturned")
    assert (fact.todo_id, fact.post_id, fact.version) == (todo["todo_id"], "post-police", 2)
    (row,) = await rows("SELECT return_reason FROM todos")
    assert "应由".encode() not in row["return_reason"]


@pytest.mark.parametrize(
    "body", [{}, {"reason": " "}, {"reason": 7}, {"reason": "好", "more": 1}, {"reason": "字" * 4001}]
)
async def test_a_return_says_why(office, body):
    todo = await office.open_one()
    await office.ask("POST", claim(todo))
    assert (await office.ask("POST", back(todo), body=body)).status_code == 422


async def test_the_same_return_twice_is_one(office, facts):
    todo = await office.open_one()
    await office.ask("POST", claim(todo))
    key = {"Idempotency-Key": f"return-{todo['todo_id']}"}
    first, second = [await office.ask("POST", back(todo), body={"reason": "退"}, **key) for _ in range(2)]
    assert first.json() == second.json()
    assert len(await facts("TodoReturned")) == 1


async def test_a_todo_is_reassigned_as_it_was_seen(office, facts):
    todo = await office.open_one()
    assert (await office.ask("POST", reassign(todo), "police", to("police2"))).status_code == 403
    answer = await office.ask("POST", reassign(todo), "lead", to("police2"))
    assert (answer.status_code, answer.json()["claimed_by"], answer.json()["revision"]) == (200, "户籍窗口民警(二)", 1)
    assert (await office.todos("?state=claimed&mine=true", "police2"))[0]["todo_id"] == todo["todo_id"]
    stale = await office.ask("POST", reassign(todo), "lead", to("police"))
    assert (stale.status_code, stale.json()["reason"]) == (409, "TODO_CHANGED")
    for name in ("civil", "zichuan", "nobody"):
        elsewhere = await office.ask("POST", reassign(todo), "lead", to(name, 1))
        assert (elsewhere.status_code, elsewhere.json()["reason"]) == (409, "POST_OUTSIDE")
    assert (await office.ask("POST", reassign(todo), "lead", to("police", 1))).json()["claimed_by"] == "户籍窗口民警"
    assert [(fact.post_id, fact.version) for fact in await facts("TodoReassigned")] == [
        ("post-police2", 1),
        ("post-police", 2),
    ]
    await office.orchestration.tell(decided(todo["source_id"]))
    late = await office.ask("POST", reassign(todo), "lead", to("police", 2))
    assert (late.status_code, late.json()["reason"]) == (409, "TODO_ALREADY_DONE")


async def test_claim_and_reassign_at_once_one_wins(office, facts):
    for _ in range(5):
        todo = await office.open_one()
        claimed, given = await asyncio.gather(
            office.ask("POST", claim(todo)), office.ask("POST", reassign(todo), "lead", to("police2"))
        )
        assert sorted((claimed.status_code, given.status_code)) == [200, 409]
        assert given.json().get("reason", "TODO_CHANGED") == "TODO_CHANGED"
        assert claimed.json().get("reason", "TODO_ALREADY_CLAIMED") == "TODO_ALREADY_CLAIMED"
        seen = (await office.ask("GET", f"/v1/todos/{todo['todo_id']}")).json()
        assert (seen["mine"], seen["revision"]) == (claimed.status_code == 200, 1)
    assert len(await facts("TodoClaimed")) + len(await facts("TodoReassigned")) == 5


async def test_who_goes_away_gives_everything_back_and_is_given_nothing(office, facts):
    held = [await office.open_one() for _ in range(3)]
    for todo in held[:2]:
        await office.ask("POST", claim(todo))
    await office.ask("POST", claim(held[2]), "police2")
    assert (await office.ask("POST", "/v1/absence", body=ABSENCE)).json() == ABSENCE
    assert (await office.ask("GET", "/v1/absence")).json() == ABSENCE
    assert {todo["todo_id"] for todo in await office.todos()} == {todo["todo_id"] for todo in held[:2]}
    assert [todo["todo_id"] for todo in await office.todos("?state=claimed")] == [held[2]["todo_id"]]
    assert {fact.todo_id for fact in await facts("TodoReturned")} == {todo["todo_id"] for todo in held[:2]}
    for refused in (
        await office.ask("POST", reassign(held[0]), "lead", to("police", 2)),
        await office.ask("POST", claim(held[0])),
    ):
        assert (refused.status_code, refused.json()["reason"]) == (409, "POST_ABSENT")
        assert refused.json()["detail"] == "“户籍窗口民警”已登记离岗，2026-11-30返岗，暂不能承办"
    assert (await office.ask("POST", "/v1/absence:end")).json() == {"returns_on": None}
    assert (await office.ask("POST", claim(held[0]))).status_code == 200


async def test_an_absence_ends_on_its_day(office, clock):
    todo = await office.open_one()
    await office.ask("POST", "/v1/absence", body=ABSENCE)
    clock.advance(timedelta(days=7))
    assert (await office.ask("POST", claim(todo))).status_code == 200


@pytest.mark.parametrize("returns_on", ["2026-11-23", "2028-01-01", "tomorrow", None])
async def test_an_absence_that_cannot_be(office, returns_on):
    assert (await office.ask("POST", "/v1/absence", body={"returns_on": returns_on})).status_code == 422


async def test_absence_and_reassign_at_once_leave_nothing_with_the_absent(office):
    for _ in range(5):
        todo = await office.open_one()
        given, away = await asyncio.gather(
            office.ask("POST", reassign(todo), "lead", to("police2")),
            office.ask("POST", "/v1/absence", "police2", ABSENCE),
        )
        assert away.status_code == 200
        assert given.status_code in (200, 409)
        assert (await office.ask("GET", f"/v1/todos/{todo['todo_id']}")).json()["state"] == "open"
        await office.ask("POST", "/v1/absence:end", "police2")


async def test_colours_are_counted_and_the_overdue_come_first(office, clock):
    waiting, green, yellow, red = [await office.open_one(at=AT - timedelta(days=20 - n)) for n in range(4)]
    for todo, days in ((green, 30), (yellow, 1), (red, 0)):
        fact = accepted(todo["source_id"], promised=AT + timedelta(days=days, hours=8))
        fact.accepted_at.FromDatetime(AT - timedelta(days=14))
        await office.orchestration.tell(fact)
    clock.advance(timedelta(hours=10))
    listed = await office.todos()
    assert [todo["todo_id"] for todo in listed] == [todo["todo_id"] for todo in (red, waiting, yellow, green)]
    assert [todo["colour"] for todo in listed] == ["red", "green", "yellow", "green"]
    pages = await paged(office, 1)
    assert [todo["todo_id"] for todo in pages] == [todo["todo_id"] for todo in listed]
    counts = (await office.ask("GET", "/v1/todos/counts")).json()
    assert (counts["open"], counts["yellow"], counts["red"]) == (4, 1, 1)
    for colour, expected in (("red", [red]), ("yellow", [yellow]), ("green", [waiting, green])):
        found = await office.todos(f"?colour={colour}")
        assert [todo["todo_id"] for todo in found] == [todo["todo_id"] for todo in expected]
    await office.orchestration.tell(decided(red["source_id"]))
    counts = (await office.ask("GET", "/v1/todos/counts")).json()
    assert (counts["open"], counts["yellow"], counts["red"]) == (3, 1, 0)


async def paged(office, size):
    seen, cursor = [], ""
    while cursor is not None:
        page = (await office.ask("GET", f"/v1/todos?page_size={size}{cursor}")).json()
        seen += page["items"]
        cursor = f"&cursor={page['next_cursor']}" if page["next_cursor"] else None
    return seen


async def test_todos_are_found_by_what_they_are_about(office):
    first = ready(case_no="3703032026112300007")
    other = ready(case_no="100%_", at=AT + timedelta(hours=1))
    other.matter_code, other.item_code, other.item_name = "marriage", "000111", "婚姻登记"
    await office.orchestration.tell(first, other)
    for query, expected in (
        ("matter=newborn", [first]),
        ("item=000111", [other]),
        ("words=婚姻", [other]),
        ("words=0007", [first]),
        ("words=%25_", [other]),
        ("kind=case", [first, other]),
        ("kind=consult", []),
        ("matter=newborn&words=婚姻", []),
    ):
        assert [todo["source_id"] for todo in await office.todos(f"?{query}")] == [case.case_id for case in expected]
