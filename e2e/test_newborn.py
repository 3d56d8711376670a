"""The newborn's story, as its people would tell it."""

import asyncio
from datetime import UTC, datetime

import pytest
from demo.browser import Browser, CallRefused
from demo.people import Cast, logged_in
from demo.settings import Settings

from demo import newborn
from e2e.waiting import eventually

ORDER = {
    "birth_certificate": "health",
    "household_registration": "police",
    "maternity_allowance": "insurance",
    "medical_insurance": "insurance",
    "parenting_guidance": "health",
}
# decided by their departments' own systems, with no officer


async def todo(officer: Browser, case_id: str) -> newborn.JSON:
    """The todo of a case, as soon as it stands on the officer's list."""

    async def look() -> newborn.JSON | None:
        return next((each for each in await newborn.open_todos(officer) if each["source_id"] == case_id), None)

    return await eventually(look)


async def closed(mother: Browser, filing_id: str) -> newborn.JSON:
    async def look() -> newborn.JSON | None:
        filing = await newborn.filing(mother, filing_id)
        return filing if filing["state"] == "closed" else None

    return await eventually(look, within=30)


def cases(filing: newborn.JSON) -> dict[str, newborn.JSON]:
    return {case["item"]: case for case in filing["cases"]}


async def test_without_the_fathers_consent_nothing_is_handed_in(people: Cast) -> None:
    for each in (await people.father.get("verification/v1/me/consents", params={"page_size": 100}))["items"]:
        if each["withdrawn_at"] is None:
            await people.father.post(f"verification/v1/consents/{each['consent_id']}:withdraw", {})
    draft = await newborn.draft(people.mother, 1)
    plan = await newborn.plan(people.mother, draft["filing_id"])
    needed = [material["code"] for material in plan["materials"] if material["status"] == "needed"]
    assert needed == ["father_id_card"]
    with pytest.raises(CallRefused) as refused:
        await newborn.submit(people.mother, draft["filing_id"], plan["plan_digest"])
    assert (refused.value.status, refused.value.reason) == (409, "MATERIALS_MISSING")


async def test_a_parent_files_once_and_sees_it_closed(people: Cast, settings: Settings) -> None:
    # the father allows it, the mother fills in one form and is asked for no paper
    await newborn.grant(people.father, at=datetime.now(UTC))
    draft = await newborn.draft(people.mother, 2)
    plan = await newborn.plan(people.mother, draft["filing_id"])
    assert [material["code"] for material in plan["materials"] if material["status"] == "needed"] == []
    assert sum(material["status"].startswith("waived") for material in plan["materials"]) >= 5

    # she submits; a second click changes nothing
    filing_id = draft["filing_id"]
    first, second = await asyncio.gather(
        newborn.submit(people.mother, filing_id, plan["plan_digest"], key=f"twice-{filing_id}"),
        newborn.submit(people.mother, filing_id, plan["plan_digest"], key=f"twice-{filing_id}"),
    )
    assert first == second
    filing = await newborn.filing(people.mother, filing_id)
    assert set(cases(filing)) == set(ORDER) | newborn.BY_APPS
    waiting = {code for code, case in cases(filing).items() if case["status"] == "waiting"}
    assert waiting == {"household_registration", "medical_insurance", "social_security_card", "maternity_allowance"}

    # each department's officer finds the case on the list as soon as nothing stands before it, and decides it
    for code, department in ORDER.items():
        officer = people.officers[department]
        await newborn.handle(officer, await todo(officer, cases(filing)[code]["case_id"]), serial=2)

    # it is closed, with every result in her hands
    filing = await closed(people.mother, filing_id)
    assert {case["status"] for case in filing["cases"]} == {"approved", "certificate_made"}
    held = {licence["name"] for licence in (await people.mother.get("verification/v1/me/licences"))["items"]}
    assert {"出生医学证明", "预防接种证", "社会保障卡"} <= held
    told = [
        entry["act"] for entry in (await people.mother.get(f"orchestration/v1/filings/{filing_id}/timeline"))["items"]
    ]
    assert len(told) >= 1 + 2 * len(ORDER)

    # the father reads who had his identity card verified, and why
    looked = await people.father.get("verification/v1/me/verifications")
    assert any(entry["filing_id"] == filing_id for entry in looked["items"])

    # nobody else sees any of it
    async with logged_in(settings, "wangfang") as stranger, logged_in(settings, "zichuan") as elsewhere:
        with pytest.raises(CallRefused) as refused:
            await newborn.filing(stranger, filing_id)
        assert refused.value.status == 404
        with pytest.raises(CallRefused) as refused:
            await elsewhere.get(
                f"orchestration/v1/cases/{cases(filing)['household_registration']['case_id']}", purpose="看看"
            )
        assert refused.value.status == 404
        assert await newborn.open_todos(elsewhere) == []


async def test_two_officers_claim_and_one_gets_it(people: Cast, consent: newborn.JSON, settings: Settings) -> None:
    draft = await newborn.draft(people.mother, 3)
    plan = await newborn.plan(people.mother, draft["filing_id"])
    filing = await newborn.submit(people.mother, draft["filing_id"], plan["plan_digest"])
    filing = await newborn.filing(people.mother, draft["filing_id"])
    health, police = people.officers["health"], people.officers["police"]
    await newborn.handle(health, await todo(health, cases(filing)["birth_certificate"]["case_id"]), serial=3)
    waiting = await todo(police, cases(filing)["household_registration"]["case_id"])
    async with logged_in(settings, "police2") as colleague:
        answers = await asyncio.gather(
            *(each.call("POST", f"workbench/v1/todos/{waiting['todo_id']}:claim", {}) for each in (police, colleague))
        )
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    assert {answer.json().get("reason") for answer in answers} == {None, "TODO_ALREADY_CLAIMED"}


async def test_nothing_is_stuck(people: Cast, settings: Settings) -> None:
    async with logged_in(settings, "admin") as administrator:
        assert (await administrator.get("orchestration/v1/operations/stuck"))["filings"] == []
