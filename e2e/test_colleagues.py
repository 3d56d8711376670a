"""Colleagues: messages between departments, and work that goes back when its officer loses the post."""

from datetime import UTC, datetime, timedelta

import pytest
from demo.browser import Browser, CallRefused
from demo.people import Cast, Sessions
from demo.settings import Settings

from demo import city, newborn
from e2e.waiting import eventually


async def test_a_lead_tells_a_department_sees_who_read_it_and_takes_it_back(people: Cast) -> None:
    police, health = people.officers["police"], people.officers["health"]
    text = "请核对今天的出生医学证明签发情况"
    sent = await police.post("workbench/v1/messages", {"text": text, "departments": ["health"]})
    path = f"workbench/v1/messages/{sent['message_id']}"
    read = await health.post(f"{path}:read", {})
    assert (read["body"], read["sender_title"]) == (text, "户籍窗口民警")
    receipts = {each["post_id"]: each for each in (await police.get(f"{path}/receipts"))["items"]}
    assert receipts[city.employee("health")["post_id"]]["read_at"] is not None
    await police.post(f"{path}:recall", {})
    listed = await newborn.every(health, "workbench/v1/messages")
    (gone,) = [message for message in listed if message["message_id"] == sent["message_id"]]
    assert gone["body"] == "“户籍窗口民警”已撤回这条消息"
    with pytest.raises(CallRefused) as refused:
        await people.officers["insurance"].post("workbench/v1/messages", {"text": text, "departments": ["health"]})
    assert (refused.value.status, refused.value.reason) == (403, "PERMISSION_MISSING")


async def test_what_was_claimed_in_a_lent_post_is_everybodys_again_when_it_is_taken_back(
    people: Cast, consent: newborn.JSON, settings: Settings
) -> None:
    health, police = people.officers["health"], people.officers["police"]
    draft = await newborn.draft(people.mother, 75)
    plan = await newborn.plan(people.mother, draft["filing_id"])
    await newborn.submit(people.mother, draft["filing_id"], plan["plan_digest"])
    cases = {case["case_id"] for case in (await newborn.filing(people.mother, draft["filing_id"]))["cases"]}

    async def todo_of(officer: Browser) -> newborn.JSON:
        async def waiting() -> newborn.JSON | None:
            listed = await newborn.every(officer, "workbench/v1/todos")
            return next((todo for todo in listed if todo["source_id"] in cases), None)

        return await eventually(waiting)

    await newborn.handle(health, await todo_of(health), 75)
    todo = await todo_of(police)
    path = f"workbench/v1/todos/{todo['todo_id']}"
    until = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    delegate = {"delegate_id": city.employee("police2")["employee_id"], "valid_until": until}
    delegation = await police.post("accounts/v1/delegations", delegate)
    async with Sessions(settings) as sessions:
        colleague = await sessions.of("police2")
        lent = delegation["delegation_id"]
        claimed = await colleague.post(f"{path}:claim", {}, post_id=lent)
        assert (claimed["state"], claimed["mine"]) == ("claimed", True)
        await police.post(f"accounts/v1/delegations/{lent}:revoke", {})

        async def returned() -> newborn.JSON | None:
            seen: newborn.JSON = await police.get(path)
            return seen if seen["state"] == "open" else None

        back = await eventually(returned)
        assert back["return_reason"] == "承办岗位已不在任，系统自动退回"
        with pytest.raises(CallRefused) as refused:
            await colleague.post(f"{path}:claim", {}, post_id=lent)
        assert refused.value.status == 403
