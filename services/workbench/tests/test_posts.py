"""Posts that change: what an officer may do is asked anew, and what a lost post has goes back to everybody."""

from datetime import timedelta

import pytest
from workbench import jobs

from .office import OFFICERS, claim, post_changed, supplement_requested, supplemented


async def held(office, *names):
    todos = [await office.open_one() for _ in names]
    for todo, name in zip(todos, names, strict=True):
        assert (await office.ask("POST", claim(todo), name)).status_code == 200
    return todos


async def seen(office, todo, name="police2"):
    return (await office.ask("GET", f"/v1/todos/{todo['todo_id']}", name)).json()


async def test_what_a_lost_post_has_goes_back_with_a_record(office, accounts, facts, rows):
    lost, kept = await held(office, "police", "police2")
    accounts.end("police")
    await office.orchestration.tell(post_changed("police"), post_changed("police2"))
    back = await seen(office, lost)
    assert (back["state"], back["returned_by"], back["return_reason"]) == (
        *("open", "户籍窗口民警"),
        "承办岗位已不在任，系统自动退回",
    )
    assert (await seen(office, kept))["mine"]
    (fact,) = await facts("TodoReturned")
    assert (fact.todo_id, fact.post_id, fact.version) == (lost["todo_id"], "post-police", 2)
    (record,) = await rows("SELECT actor_kind, subject_id FROM journal WHERE act = 'workbench.release_todo'")
    assert tuple(record) == ("service", lost["todo_id"])
    assert (await office.ask("POST", claim(lost), "police2")).status_code == 200


async def test_who_may_claim_no_longer_has_nothing_in_hand(office, accounts):
    (todo,) = await held(office, "police")
    accounts.end("police")
    accounts.hire("police", "workbench:read_todo", org_path=OFFICERS["police"][1], region_code="370303")
    await office.orchestration.tell(post_changed("police"))
    assert (await seen(office, todo))["state"] == "open"
    refused = await office.ask("POST", claim(todo))
    assert (refused.status_code, refused.json()["reason"]) == (403, "PERMISSION_MISSING")


async def test_what_waits_comes_back_to_everybody_when_its_officer_is_gone(office, accounts):
    (todo,) = await held(office, "police")
    await office.orchestration.tell(supplement_requested(todo["source_id"]))
    accounts.end("police")
    await office.orchestration.tell(post_changed("police"))
    assert ((await seen(office, todo))["state"], (await seen(office, todo))["claimed_by"]) == ("waiting", None)
    await office.orchestration.tell(supplemented(todo["source_id"]))
    assert (await seen(office, todo))["state"] == "open"


async def test_what_an_officer_may_do_is_asked_anew(office, accounts):
    assert (await office.ask("GET", "/v1/todos")).status_code == 200
    accounts.end("police")
    accounts.hire("police", org_path=OFFICERS["police"][1], region_code="370303")
    assert (await office.ask("GET", "/v1/todos")).status_code == 200
    await office.orchestration.tell(post_changed("police"))
    assert (await office.ask("GET", "/v1/todos")).status_code == 403


@pytest.mark.parametrize("rounds", [1, 2])
async def test_a_post_that_ended_untold_is_noticed(office, accounts, facts, rounds):
    lost, kept = await held(office, "police", "police2")
    accounts.end("police")
    for _ in range(rounds):
        await jobs.release(office.living.app)
    assert (await seen(office, lost))["state"] == "open"
    assert (await seen(office, kept))["mine"]
    assert len(await facts("TodoReturned")) == 1


async def unstaffed(office, name):
    items = (await office.ask("GET", "/v1/messages", name)).json()["items"]
    return [message["source_id"] for message in items if message["kind"] == "todo_unstaffed"]


async def test_of_a_todo_where_nobody_is_the_bodies_above_are_told_once(office, accounts, clock):
    todo = await office.open_one()
    for name in ("police", "police2", "lead"):
        accounts.end(name)
    accounts.hire("district", *OFFICERS["city"][0], org_path="zibo.zhangdian", region_code="370303")
    await jobs.unstaffed(office.living.app)
    assert await unstaffed(office, "city") == []
    clock.advance(timedelta(minutes=10))
    for _ in range(2):
        await jobs.unstaffed(office.living.app)
    for name in ("district", "city"):
        assert await unstaffed(office, name) == [todo["todo_id"]]
    assert await unstaffed(office, "civil") == []
    # it is in their scope: they see it, and may take it
    assert (await office.ask("POST", claim(todo), "district")).status_code == 200


async def test_where_somebody_is_nobody_above_is_told(office, clock):
    await office.open_one()
    clock.advance(timedelta(hours=1))
    await jobs.unstaffed(office.living.app)
    assert await unstaffed(office, "city") == []
