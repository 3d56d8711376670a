"""What a case lacks: asked for once, tolerated for a while, and what happens when nobody answers."""

import asyncio
from datetime import timedelta

import pytest

from .desk import Desk
from .makers import FORM, newborn_json
from .test_story import facts

ITEM = "birth_certificate"
ASKED = {"fields": ["hospital"], "materials": ["father_id_card"]}


async def asked(desk):
    filing, cases = await desk.submitted()
    answer = await desk.ask(cases[ITEM], ITEM, **ASKED)
    assert (answer.status_code, answer.json()["status"]) == (200, "supplement_requested"), answer.text
    return filing, cases[ITEM]


async def test_a_mother_answers_exactly_what_she_was_asked_for(desk, others, clock):
    filing, case = await asked(desk)
    seen = await desk.case(filing, ITEM)
    assert (seen["supplement"]["fields"], seen["supplement"]["materials"]) == (["hospital"], ["father_id_card"])
    # 15 working days from Monday the 23rd.
    assert seen["supplement"]["due_at"] == "2026-12-14T17:30:00+08:00"
    assert seen["explanation"] == "请补正所列各项"
    refused = await desk.do(case, "accept", name="health")
    assert (refused.status_code, refused.json()["reason"]) == (409, "SUPPLEMENT_OPEN")
    for wrong in ({}, {"form": {"hospital": "市立医院", "child_name": "张大满"}}, {"form": {"phone": "19900000009"}}):
        refused = await desk.do(case, "answer_supplement", wrong)
        assert (refused.status_code, refused.json()["reason"]) == (422, "SUPPLEMENT_UNFIT"), wrong
    refused = await desk.do(case, "answer_supplement", {"form": {"hospital": ""}})
    assert (refused.status_code, refused.json()["reason"]) == (422, "DRAFT_INVALID")
    clock.advance(timedelta(days=3))
    answer = await desk.do(case, "answer_supplement", {"form": {"hospital": "淄博市立医院"}})
    assert (answer.status_code, answer.json()["status"]) == (200, "ready")
    assert (await desk.filing(filing))["form"] == {**FORM, "hospital": "淄博市立医院"}
    assert others.library.callers.count(("verify", others.library.callers[0][1])) >= 2
    detail = (await desk.get(f"/v1/cases/{case}", "health")).json()
    assert {"field": "hospital", "title": "接生机构", "value": "淄博市立医院"} in detail["form"]
    father = next(m for m in detail["materials"] if m["code"] == "father_id_card")
    assert father["data"]["evidence_id"] == "evidence father_id_card"
    await desk.pass_({ITEM: case}, ITEM)
    told = await desk.told(filing)
    assert told[2:5] == [
        "“出生医学证明(首次签发)”需要补正",
        "申请人已补正“出生医学证明(首次签发)”",
        "“出生医学证明(首次签发)”已受理",
    ]


async def test_what_is_still_missing_is_said_and_may_be_handed_in(desk, others):
    from tongban.verification.v1 import licence_pb2  # noqa: PLC0415

    _, case = await asked(desk)
    others.library.findings["father_id_card"] = licence_pb2.FINDING_INVALID
    body = {"form": {"hospital": "淄博市立医院"}}
    refused = await desk.do(case, "answer_supplement", body)
    assert (refused.status_code, refused.json()["reason"]) == (409, "MATERIALS_MISSING")
    refused = await desk.do(case, "answer_supplement", {**body, "handed_in": ["mother_id_card"]})
    assert refused.json()["reason"] == "SUPPLEMENT_UNFIT"
    assert (await desk.do(case, "answer_supplement", {**body, "handed_in": ["father_id_card"]})).status_code == 200
    detail = (await desk.get(f"/v1/cases/{case}", "health")).json()
    father = next(m for m in detail["materials"] if m["code"] == "father_id_card")
    assert (father["status"], father["text"]) == ("provided", "申请人已补交")


async def test_asking_happens_once_even_when_the_request_was_withdrawn(desk):
    filing, case = await asked(desk)
    again = await desk.ask(case, ITEM, fields=["child_name"])
    assert (again.status_code, again.json()["reason"]) == (409, "SUPPLEMENT_ALREADY_REQUESTED")
    assert (await desk.do(case, "withdraw_request", name="health")).json()["status"] == "ready"
    again = await desk.ask(case, ITEM, fields=["child_name"])
    assert again.json()["reason"] == "SUPPLEMENT_ALREADY_REQUESTED"
    late = await desk.do(case, "answer_supplement", {"form": {"hospital": "淄博市立医院"}})
    assert late.json()["reason"] == "SUPPLEMENT_NOT_REQUESTED"
    assert (await desk.filing(filing))["form"]["hospital"] == FORM["hospital"]
    await desk.accept(case, ITEM)


@pytest.mark.parametrize(
    "what", [{}, {"fields": ["phone"]}, {"materials": ["household_book"]}, {"fields": ["nothing"]}]
)
async def test_only_what_the_item_needs_can_be_asked_for(desk, what):
    _, cases = await desk.submitted()
    refused = await desk.ask(cases[ITEM], ITEM, **what)
    assert (refused.status_code, refused.json()["reason"]) == (422, "SUPPLEMENT_UNFIT")


async def test_a_case_that_stays_incomplete_is_declined(desk):
    _, case = await asked(desk)
    assert (await desk.decline(case, ITEM, "STILL_INCOMPLETE")).json()["reason"] == "SUPPLEMENT_OPEN"
    await desk.do(case, "answer_supplement", {"form": {"hospital": "淄博市立医院"}})
    assert (await desk.decline(case, ITEM, "STILL_INCOMPLETE")).json()["status"] == "declined"
    _, cases = await desk.submitted()
    refused = await desk.decline(cases[ITEM], ITEM, "STILL_INCOMPLETE")
    assert refused.json()["reason"] == "SUPPLEMENT_NOT_REQUESTED"


async def test_who_does_not_answer_in_the_term_has_the_case_ended(desk, clock):
    filing, case = await asked(desk)
    clock.advance(timedelta(days=21))
    await desk.sweep()
    assert (await desk.case(filing, ITEM))["status"] == "supplement_requested"
    clock.advance(timedelta(hours=9))
    await desk.sweep()
    ended = await desk.case(filing, ITEM)
    assert (ended["status"], ended["reason_code"]) == ("terminated", "SUPPLEMENT_UNANSWERED")
    assert (await desk.statuses(filing))["household_registration"] == "pruned"
    assert "“出生医学证明(首次签发)”逾期未补正，终止办理" in await desk.told(filing)
    late = await desk.do(case, "answer_supplement", {"form": {"hospital": "淄博市立医院"}})
    assert late.json()["reason"] == "SUPPLEMENT_NOT_REQUESTED"
    assert not await desk.motionless()


async def test_of_an_answer_and_the_end_of_the_term_at_once_one_wins(desk, clock):
    filings = [await asked(desk) for _ in range(4)]
    clock.advance(timedelta(days=22))
    answers, _ = await asyncio.gather(
        asyncio.gather(
            *(desk.do(case, "answer_supplement", {"form": {"hospital": "淄博市立医院"}}) for _, case in filings)
        ),
        desk.sweep(),
    )
    await desk.sweep()
    for (filing, _), answer in zip(filings, answers, strict=True):
        status = (await desk.case(filing, ITEM))["status"]
        assert status == ("ready" if answer.status_code == 200 else "terminated")


async def test_a_department_that_says_nothing_has_accepted(desk, clock):
    filing, _ = await desk.submitted()
    received = (await desk.case(filing, ITEM))["ready_at"]
    clock.advance(timedelta(days=7))
    assert await desk.sweep() == 0
    clock.advance(timedelta(hours=9))
    # Three cases are deemed accepted; their promised day has passed long since.
    assert await desk.sweep() == 6
    case = await desk.case(filing, ITEM)
    assert (case["status"], case["accepted_at"]) == ("accepted", received)
    assert case["promised_due_at"] == "2026-11-24T09:30:00Z"
    assert "“出生医学证明(首次签发)”逾期未告知补正，视为自收到材料之日起受理" in await desk.told(filing)
    told = await facts(desk)
    assert (told.count("case.accepted"), told.count("case.promised_overdue")) == (3, 3)
    assert await desk.sweep() == 0


@pytest.fixture
async def lenient(service, who):
    """The same matter, but the bank account may follow."""
    definition = newborn_json()
    for item in definition["items"]:
        for need in item.get("requirements", []):
            if need["requirement"] == "bank_account":
                need["necessity"] = "deferrable"
    async with Desk(service, who) as seated:
        await seated.publish(definition)
        yield seated


async def tolerated(desk):
    form = {key: value for key, value in FORM.items() if key != "bank_account"}
    filing, cases = await desk.submitted(form=form)
    await desk.pass_(cases, ITEM)
    case = cases["maternity_allowance"]
    for missing in ([], ["mother_id_card"], ["household_book"]):
        refused = await desk.do(case, "tolerate_absence", {"missing": missing}, "medical_insurance")
        assert refused.status_code == 422, missing
    answer = await desk.do(case, "tolerate_absence", {"missing": ["bank_account"]}, "medical_insurance")
    assert (answer.status_code, answer.json()["status"]) == (200, "accepted"), answer.text
    assert answer.json()["absence"]["due_at"] == "2026-12-07T17:30:00+08:00"
    return filing, case


async def test_a_minor_material_may_follow(lenient):
    desk = lenient
    filing, case = await tolerated(desk)
    refused = await desk.approve(case, "maternity_allowance")
    assert (refused.status_code, refused.json()["reason"]) == (409, "ABSENCE_OPEN")
    refused = await desk.do(case, "supply_materials", {})
    assert refused.json()["reason"] == "MATERIALS_MISSING"
    assert (await desk.do(case, "supply_materials", {"handed_in": ["bank_account"]})).status_code == 200
    again = await desk.do(case, "supply_materials", {"handed_in": ["bank_account"]})
    assert again.json()["reason"] == "ABSENCE_NOT_TOLERATED"
    assert (await desk.approve(case, "maternity_allowance")).status_code == 200
    assert "“生育医疗费用报销和生育津贴”已容缺受理" in await desk.told(filing)
    titles = [paper["title"] for paper in (await desk.get(f"/v1/filings/{filing}/documents")).json()]
    assert titles[-3:] == ["容缺受理通知书", "容缺材料收件凭证", "准予决定书"]


async def test_a_minor_material_that_does_not_follow_costs_the_case(lenient, clock):
    desk = lenient
    filing, _ = await tolerated(desk)
    clock.advance(timedelta(days=15))
    await desk.sweep()
    case = await desk.case(filing, "maternity_allowance")
    assert (case["status"], case["reason_code"]) == ("refused", "MATERIALS_UNSUPPLIED")
    assert "“生育医疗费用报销和生育津贴”容缺材料逾期未补交，不予办理" in await desk.told(filing)
    titles = [paper["title"] for paper in (await desk.get(f"/v1/filings/{filing}/documents")).json()]
    assert titles.count("不予批准决定书") == 1
