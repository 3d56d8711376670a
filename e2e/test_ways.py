"""The ways beside the happy one, each as the people in it would tell it."""

import asyncio

import pytest
from demo.browser import Browser, CallRefused
from demo.people import Cast

from demo import newborn
from e2e.test_newborn import cases, todo
from e2e.waiting import eventually

BIRTH, GUIDANCE, REGISTRATION = "birth_certificate", "parenting_guidance", "household_registration"


async def submitted(people: Cast, serial: int) -> newborn.JSON:
    draft = await newborn.draft(people.mother, serial)
    plan = await newborn.plan(people.mother, draft["filing_id"])
    await newborn.submit(people.mother, draft["filing_id"], plan["plan_digest"])
    return await newborn.filing(people.mother, draft["filing_id"])


async def act(person: Browser, case: newborn.JSON, verb: str, body: newborn.JSON | None = None) -> newborn.JSON:
    answer: newborn.JSON = await person.post(f"orchestration/v1/cases/{case['case_id']}:{verb}", body or {})
    return answer


async def told(people: Cast, filing: newborn.JSON) -> list[str]:
    timeline = await people.mother.get(f"orchestration/v1/filings/{filing['filing_id']}/timeline")
    return [entry["text"] for entry in timeline["items"]]


async def gone(officer: Browser, case: newborn.JSON) -> None:
    """The case has left the officer's list."""

    async def look() -> bool:
        return all(each["source_id"] != case["case_id"] for each in await newborn.open_todos(officer))

    await eventually(look)


async def test_a_case_that_is_not_ours_is_declined_with_the_organ_that_is(people: Cast, consent: newborn.JSON) -> None:
    filing = await submitted(people, 5001)
    health = people.officers["health"]
    case = cases(filing)[GUIDANCE]
    await todo(health, case["case_id"])
    body = {
        "ground": "NOT_COMPETENT",
        "explanation": "您的常住地在淄川区，请向该区申请",
        "competent_organ": "淄川区卫生健康局",
    }
    assert (await act(health, case, "decline", body))["status"] == "declined"
    await gone(health, case)
    seen = cases(await newborn.filing(people.mother, filing["filing_id"]))[GUIDANCE]
    assert (seen["competent_organ"], seen["explanation"]) == (body["competent_organ"], body["explanation"])


async def test_a_mother_changes_her_mind_about_one_case_and_then_about_all(people: Cast, consent: newborn.JSON) -> None:
    filing = await submitted(people, 5002)
    case = cases(filing)[GUIDANCE]
    await todo(people.officers["health"], case["case_id"])
    assert (await act(people.mother, case, "withdraw"))["status"] == "withdrawn"
    await gone(people.officers["health"], case)
    await people.mother.post(f"orchestration/v1/filings/{filing['filing_id']}:withdraw", {})

    async def closed() -> newborn.JSON | None:
        now = await newborn.filing(people.mother, filing["filing_id"])
        return now if now["state"] == "closed" else None

    # a department's own system may have been faster than she was: then its licence is still made
    after = await eventually(closed)
    by_people = {each["status"] for each in after["cases"] if each["item"] not in newborn.BY_APPS}
    assert by_people == {"withdrawn"}


async def test_a_mother_and_an_officer_act_at_the_same_moment_and_one_wins(people: Cast, consent: newborn.JSON) -> None:
    filing = await submitted(people, 5003)
    case, health = cases(filing)[BIRTH], people.officers["health"]
    await todo(health, case["case_id"])
    await act(health, case, "accept")
    answers = await asyncio.gather(
        health.call(
            "POST",
            f"orchestration/v1/cases/{case['case_id']}:approve",
            {"result": newborn.result(BIRTH, 5003)},
        ),
        people.mother.call("POST", f"orchestration/v1/cases/{case['case_id']}:withdraw", {}),
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    await people.mother.post(f"orchestration/v1/filings/{filing['filing_id']}:withdraw", {})


async def test_an_officer_asks_once_and_the_mother_answers(people: Cast, consent: newborn.JSON) -> None:
    filing = await submitted(people, 5004)
    case, health = cases(filing)[BIRTH], people.officers["health"]
    await todo(health, case["case_id"])
    body = {
        "kind": "SUPPLEMENT_UNCLEAR",
        "fields": ["hospital"],
        "materials": ["mother_id_card"],
        "explanation": "请填写接生机构的全称",
    }
    await act(health, case, "request_supplement", body)
    seen = cases(await newborn.filing(people.mother, filing["filing_id"]))[BIRTH]
    assert (seen["status"], seen["supplement"]["fields"]) == ("supplement_requested", ["hospital"])
    with pytest.raises(CallRefused) as refused:
        await act(health, case, "accept")
    assert refused.value.reason == "SUPPLEMENT_OPEN"
    await act(people.mother, case, "answer_supplement", {"form": {"hospital": "淄博市妇幼保健院(新院区)"}})
    await newborn.handle(health, await todo(health, case["case_id"]), serial=5004)
    assert "申请人已补正“出生医学证明(首次签发)”" in await told(people, filing)
    await people.mother.post(f"orchestration/v1/filings/{filing['filing_id']}:withdraw", {})


async def test_a_hearing_stops_the_clock_and_the_head_gives_more_time(people: Cast, consent: newborn.JSON) -> None:
    filing = await submitted(people, 5005)
    health, police = people.officers["health"], people.officers["police"]
    await newborn.handle(health, await todo(health, cases(filing)[BIRTH]["case_id"]), serial=5005)
    case = cases(filing)[REGISTRATION]
    await todo(police, case["case_id"])
    before = (await act(police, case, "accept"))["promised_due_at"]
    stopped = await act(police, case, "stop_clock", {"procedure": "APPRAISAL", "days": 5})
    assert (stopped["status"], stopped["promised_due_at"]) == ("special_procedure", None)

    async def without_due() -> bool:
        return (await todo(police, case["case_id"]))["promised_due_at"] is None

    await eventually(without_due)
    await act(police, case, "resume_clock")
    extended = await act(police, case, "extend_limit", {"days": 5, "reason": "需要跨省核实"})
    assert extended["promised_due_at"] > before
    with pytest.raises(CallRefused) as refused:
        await act(health, cases(filing)[GUIDANCE], "extend_limit", {"days": 5, "reason": "想多几天"})
    assert refused.value.reason == "PERMISSION_MISSING"
    assert "“出生登记(户口)”经批准延长5个工作日：需要跨省核实" in await told(people, filing)
    ended = await act(police, case, "terminate", {"ground": "APPLICANT_SILENT", "explanation": "多次联系未果"})
    assert ended["status"] == "terminated"
    statuses = {
        item: each["status"] for item, each in cases(await newborn.filing(people.mother, filing["filing_id"])).items()
    }
    assert (statuses["medical_insurance"], statuses["social_security_card"]) == ("pruned", "pruned")
    await people.mother.post(f"orchestration/v1/filings/{filing['filing_id']}:withdraw", {})
