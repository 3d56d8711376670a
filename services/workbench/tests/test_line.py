"""The professional line (条): the bodies below are seen and counted apart, and nothing of theirs is touched."""

import pytest

from .office import VERBS, claim, decided

CITY_POLICE = {"org_path": "zibo.police", "region_code": "370300", "title": "市局户政处"}
BELOW = ["zibo.zhangdian.police", "zibo.zichuan.police"]


@pytest.fixture
def line(accounts):
    accounts.hire("guide", *VERBS, line_paths=BELOW, **CITY_POLICE)
    return "guide"


async def counts(office, name):
    return (await office.ask("GET", "/v1/todos/counts", name)).json()


async def test_what_the_line_sees_is_listed_and_counted_apart(office, line):
    todo = await office.open_one()
    other = await office.open_one(case_no="3703032026112300002")
    await office.ask("POST", claim(other))
    await office.ask("POST", f"/v1/todos/{other['todo_id']}:return", body={"reason": "张某来电"})
    own = {"open": 0, "claimed": 0, "waiting": 0, "done": 0, "mine": 0, "yellow": 0, "red": 0}
    seen = {name: number for name, number in own.items() if name != "mine"} | {"open": 2}
    assert await counts(office, line) == own | {"line": seen}
    assert await office.todos(name=line) == []
    listed = await office.todos("?line=true", line)
    assert {each["todo_id"] for each in listed} == {todo["todo_id"], other["todo_id"]}
    assert all(each["in_line"] and each["return_reason"] is None for each in listed)
    await office.orchestration.tell(decided(todo["source_id"]))
    assert (await counts(office, line))["line"] == seen | {"open": 1, "done": 1}


async def test_along_the_line_nothing_is_worked_on(office, line):
    todo = await office.open_one()
    for method, path, body in (
        ("GET", f"/v1/todos/{todo['todo_id']}", None),
        ("POST", claim(todo), None),
        ("POST", f"/v1/todos/{todo['todo_id']}:return", {"reason": "退"}),
        ("GET", f"/v1/todos/{todo['todo_id']}/consults", None),
    ):
        refused = await office.ask(method, path, line, body)
        assert (refused.status_code, refused.json()["reason"]) == (404, "TODO_NOT_FOUND")


async def test_who_guides_nobody_sees_nothing_along_a_line(office):
    await office.open_one()
    for name in ("police", "city", "civil"):
        assert await office.todos("?line=true", name) == []
        assert (await counts(office, name))["line"] is None
    assert [each["in_line"] for each in await office.todos()] == [False]
