"""A birth, from the draft to the last result; and what can go otherwise on the way."""

import asyncio
from datetime import timedelta

import pytest
from tongban.orchestration.v1 import case_events_pb2 as case_pb
from tongban.verification.v1 import licence_pb2

from .desk import RESULTS
from .makers import FATHER, FORM, MOTHER, newborn_json

ITEMS = list(RESULTS)


async def facts(desk):
    return [
        row.subject.split(".", 3)[3].rsplit(".", 1)[0]
        for row in await desk.rows("select subject from outbox order by id")
    ]


async def test_a_birth_from_draft_to_closed(desk, others):
    filing = await desk.draft()
    plan = await desk.plan(filing)
    assert plan["complete"]
    assert plan["groups"] == [
        ["birth_certificate", "vaccination_certificate", "parenting_guidance"],
        ["household_registration", "maternity_allowance"],
        ["medical_insurance", "social_security_card"],
    ]
    waived = {m["code"]: m["text"] for m in plan["materials"] if m["status"] == "waived"}
    assert waived["father_id_card"] == "已核验父亲的电子证照，免于提交"
    assert waived["child_id_number"] == "由本次办理的“出生登记(户口)”产生，免于提交"
    submitted = (await desk.submit(filing, plan["plan_digest"])).json()
    assert submitted["state"] == "submitted"
    assert submitted["open_cases"] == 7
    numbers = [submitted["filing_no"], *(case["case_no"] for case in submitted["cases"])]
    assert all(len(no) == 22 and no.startswith("3703032026112301") for no in numbers)
    assert len(set(numbers)) == 8
    cases = {case["item"]: case["case_id"] for case in submitted["cases"]}
    await desk.pass_(cases, "birth_certificate", "vaccination_certificate", "parenting_guidance")
    assert (await desk.statuses(filing))["household_registration"] == "ready"
    await desk.pass_(
        cases, "household_registration", "maternity_allowance", "medical_insurance", "social_security_card"
    )
    assert await desk.run_calls() == 3
    closed = await desk.filing(filing)
    assert (closed["state"], closed["open_cases"]) == ("closed", 0)
    assert {case["item"]: case["status"] for case in closed["cases"]} == {
        item: "certificate_made"
        if item in {"birth_certificate", "vaccination_certificate", "social_security_card"}
        else "approved"
        for item in ITEMS
    }
    registered = next(case for case in closed["cases"] if case["item"] == "household_registration")
    assert registered["result"] == RESULTS["household_registration"]
    issued = others.library.issued[cases["birth_certificate"]]
    assert list(issued.holder_ids) == [MOTHER, FATHER]
    assert issued.issuer_uscc == "11370303MB9TD00551"
    assert dict(issued.face)["child_name"] == FORM["child_name"]
    assert dict(issued.face)["certificate_no"] == "A123456789"
    assert ("verify", MOTHER) in others.library.callers
    assert ("issue", "orchestration") in others.library.callers
    told = await facts(desk)
    assert told[:2] == ["matter.published", "filing.submitted"]
    assert told.count("case.ready") == told.count("case.accepted") == told.count("case.decided") == 7
    assert told.count("case.result_issued") == 3
    assert told.count("filing.closed") == 1
    assert not await desk.motionless()


async def test_the_timeline_tells_it_in_words(desk):
    filing, cases = await desk.submitted()
    await desk.pass_(cases, "birth_certificate")
    await desk.run_calls()
    first = (await desk.get(f"/v1/filings/{filing}/timeline?page_size=2")).json()
    rest = (await desk.get(f"/v1/filings/{filing}/timeline?cursor={first['next_cursor']}")).json()
    assert [entry["text"] for entry in [*first["items"], *rest["items"]]] == [
        "填写申请表",
        "提交申请，共7个事项",
        "“出生医学证明(首次签发)”已受理",
        "“出生医学证明(首次签发)”已办结，准予办理",
        "“出生医学证明(首次签发)”的证照已制发",
    ]
    assert rest["next_cursor"] is None
    shown = [*first["items"], *rest["items"]]
    assert [entry["org_name"] for entry in shown] == [None, None, "health", "health", None]
    titles = [entry["document"] and entry["document"]["title"] for entry in shown]
    assert titles == [None, "收件凭证", "受理通知书", "准予决定书", None]
    page = await desk.get(f"/v1/documents/{shown[1]['document']['document_id']}.pdf")
    assert page.content.startswith(b"%PDF-")


async def test_submitting_twice_makes_one_set_of_cases(desk):
    filing = await desk.draft()
    digest = (await desk.plan(filing))["plan_digest"]
    answers = await asyncio.gather(*(desk.submit(filing, digest, key="once") for _ in range(4)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.text for answer in answers}) == 1
    again = await desk.submit(filing, digest, key="other")
    assert (again.status_code, again.json()["reason"]) == (409, "FILING_ALREADY_SUBMITTED")
    assert (await desk.rows("select count(*) from cases"))[0][0] == 7
    assert (await desk.rows("select last from serials"))[0][0] == 8


async def test_concurrent_submissions_with_different_keys_make_one_set(desk):
    filing = await desk.draft()
    digest = (await desk.plan(filing))["plan_digest"]
    answers = await asyncio.gather(*(desk.submit(filing, digest, key=f"key{n}") for n in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
    assert (await desk.rows("select count(*) from cases"))[0][0] == 7


async def test_concurrent_approvals_have_one_effect(desk, others):
    _, cases = await desk.submitted()
    case = cases["birth_certificate"]
    await desk.accept(case, "birth_certificate")
    answers = await asyncio.gather(*(desk.approve(case, "birth_certificate", key=f"key{n}") for n in range(5)))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409, 409]
    assert {answer.json()["reason"] for answer in answers if answer.status_code == 409} == {"CASE_ALREADY_DECIDED"}
    assert (await facts(desk)).count("case.decided") == 1
    assert (await desk.rows("select count(*) from calls"))[0][0] == 1
    await desk.run_calls()
    assert len(others.library.issued) == 1


async def test_approvals_of_different_cases_at_once_lose_nothing(desk):
    filing, cases = await desk.submitted()
    free = ["birth_certificate", "vaccination_certificate", "parenting_guidance"]
    await asyncio.gather(*(desk.pass_(cases, item) for item in free))
    await desk.run_calls()
    assert (await desk.filing(filing))["open_cases"] == 4
    versions = await desk.rows("select subject from outbox where subject like '%case.ready%'")
    assert len(versions) == 5


async def test_a_plan_that_changed_is_not_submitted(desk, others):
    filing = await desk.draft()
    digest = (await desk.plan(filing))["plan_digest"]
    others.library.versions["household_book"] = 2
    refused = await desk.submit(filing, digest)
    assert (refused.status_code, refused.json()["reason"]) == (409, "PLAN_CHANGED")
    assert refused.json()["data"]["difference"] == [
        {
            "what": "material",
            "material": "household_book",
            "before": "MATERIAL_LICENCE_VERIFIED",
            "after": "MATERIAL_LICENCE_VERIFIED",
        }
    ]
    assert (await desk.rows("select count(*) from cases"))[0][0] == 0
    assert (await desk.submit(filing)).status_code == 200


async def test_revising_the_draft_changes_the_plan(desk):
    filing = await desk.draft()
    digest = (await desk.plan(filing))["plan_digest"]
    client = await desk.as_()
    revised = await client.put(
        f"/v1/filings/{filing}", json={"form": FORM, "determinants": {"mother_insured": "not_insured"}}
    )
    assert (revised.status_code, revised.json()["revision"]) == (200, 2)
    refused = await desk.submit(filing, digest)
    assert refused.json()["reason"] == "PLAN_CHANGED"
    assert {"what": "item", "item": "maternity_allowance", "applies": False} in refused.json()["data"]["difference"]
    assert len((await desk.submit(filing)).json()["cases"]) == 6


@pytest.mark.parametrize(
    ("finding", "reason"),
    [
        (licence_pb2.FINDING_MISSING, "MATERIAL_LICENCE_MISSING"),
        (licence_pb2.FINDING_INVALID, "MATERIAL_LICENCE_INVALID"),
        (licence_pb2.FINDING_CONSENT_NEEDED, "MATERIAL_CONSENT_NEEDED"),
    ],
)
async def test_a_missing_material_holds_the_submission(desk, others, finding, reason):
    others.library.findings["father_id_card"] = finding
    filing = await desk.draft()
    plan = await desk.plan(filing)
    assert not plan["complete"]
    refused = await desk.submit(filing, plan["plan_digest"])
    assert (refused.status_code, refused.json()["reason"]) == (409, "MATERIALS_MISSING")
    assert [(m["code"], m["reason"], m["holder_id"]) for m in refused.json()["data"]["materials"]] == [
        ("father_id_card", reason, FATHER)
    ]
    others.library.findings.clear()
    assert (await desk.submit(filing)).status_code == 200


async def test_refusing_the_registration_prunes_insurance_and_card(desk):
    filing, cases = await desk.submitted()
    await desk.pass_(cases, "birth_certificate")
    await desk.accept(cases["household_registration"], "household_registration")
    assert (await desk.refuse(cases["household_registration"], "household_registration")).status_code == 200
    assert await desk.statuses(filing) == {
        "birth_certificate": "approved",
        "vaccination_certificate": "ready",
        "household_registration": "refused",
        "medical_insurance": "pruned",
        "social_security_card": "pruned",
        "maternity_allowance": "ready",
        "parenting_guidance": "ready",
    }
    refused = next(c for c in (await desk.filing(filing))["cases"] if c["item"] == "household_registration")
    assert (refused["reason_code"], refused["explanation"]) == ("NOT_LOCAL", "父母双方均非本市户籍")
    assert (await facts(desk)).count("case.pruned") == 2
    await desk.pass_(cases, "vaccination_certificate", "maternity_allowance", "parenting_guidance")
    await desk.run_calls()
    assert (await desk.filing(filing))["state"] == "closed"


async def test_a_running_filing_stays_on_its_version(desk):
    filing, cases = await desk.submitted()
    changed = newborn_json()
    changed["items"][0]["result"]["fields"]["properties"]["certificate_no"]["pattern"] = "^never$"
    assert (await desk.publish(changed))["version"] == 2
    assert (await desk.publish(changed))["version"] == 2
    await desk.pass_(cases, "birth_certificate")
    assert (await desk.filing(filing))["matter_version"] == 1
    assert (await desk.get("/v1/matters/newborn")).json()["version"] == 2


async def test_due_times_are_counted_in_working_days_and_explained(desk, clock):
    _, cases = await desk.submitted()
    await desk.pass_(cases, "birth_certificate", "household_registration")
    clock.advance(timedelta(days=4))
    accepted = await desk.accept(cases["medical_insurance"], "medical_insurance")
    # Accepted on Friday the 27th: promised by Monday, by law ten working days.
    assert accepted["promised_due_at"] == "2026-11-30T17:30:00+08:00"
    assert accepted["statutory_due_at"] == "2026-12-11T17:30:00+08:00"
    detail = (await desk.get(f"/v1/cases/{cases['medical_insurance']}", "medical_insurance")).json()
    assert detail["statutory_due"]["counted"]["limit"] == 10
    assert "2026" in detail["statutory_due"]["text"]


async def test_facts_carry_what_the_workbench_needs(desk):
    _, cases = await desk.submitted()
    rows = await desk.rows("select body from outbox where type = 'tongban.orchestration.v1.CaseReady' order by id")
    ready = [case_pb.CaseReady.FromString(row.body) for row in rows]
    assert {fact.case_id for fact in ready} == {
        cases[item] for item in ("birth_certificate", "vaccination_certificate", "parenting_guidance")
    }
    first = ready[0]
    assert (first.item_code, first.org_path, first.region_code, first.version) == (
        "birth_certificate",
        "zibo.zhangdian.health",
        "370303",
        1,
    )
    assert first.ready_at.seconds
