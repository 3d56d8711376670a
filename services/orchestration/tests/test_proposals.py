"""Proposals: filled from another matter's case, confirmed in one act, declined, or let go when their time is over."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest
from common.auth import system
from common.inbox import Fact
from orchestration import usecases
from orchestration.consumers import propose_after_approval, propose_after_licence
from sqlalchemy import text
from tongban.orchestration.v1 import case_events_pb2 as pb
from tongban.orchestration.v1 import filing_events_pb2 as filing_pb
from tongban.verification.v1 import licence_pb2

from .makers import FORM, MOTHER, child_allowance_json
from .test_story import facts

SOURCE = "household_registration"
GRANTED = {"annual_amount": 3600}
FILLED = {
    "child_name": "张小满",
    "child_sex": "female",
    "child_id_number": "370303190001010024",
    "birth_date": "2026-02-27",
    "parent_name": "李静",
    "household_address": "张店区柳泉路1号",
    "phone": "19900000001",
    "bank_account": "6222000011112222",
}


@pytest.fixture
def told(desk, clock, ids):
    """Deliver what was decided, twice, as the bus may, and once more as news of its own."""

    async def tell(case, outcome=pb.OUTCOME_APPROVED, handle=propose_after_approval):
        kind = pb.CaseDecided if handle is propose_after_approval else pb.CaseResultIssued
        more = {"outcome": outcome} if kind is pb.CaseDecided else {}
        body = kind(case_id=case, **more)
        fact = Fact(UUID(int=ids().int), body, clock(), "service:orchestration", "")
        durable = f"orchestration-{handle.__name__}"
        for _ in range(2):
            async with desk.app.store.begin(system("orchestration"), once=[fact.id], consumer=durable) as tx:
                if fact.id in tx.unit.fresh:
                    await handle(desk.app, tx, fact)
        async with desk.app.store.begin(system("orchestration")) as tx:
            await handle(desk.app, tx, fact)

    return tell


@pytest.fixture
async def registered(desk, told):
    """A birth is registered, and the allowance is proposed; gives both filings and the case."""

    async def register(**how):
        filing, cases = await desk.submitted(**how)
        await desk.pass_(cases, "birth_certificate", SOURCE)
        await told(cases[SOURCE])
        return filing, cases, await proposed(desk)

    await desk.publish(child_allowance_json())
    return register


async def filings(desk, state=None):
    items = (await desk.get("/v1/filings?page_size=100")).json()["items"]
    return [each for each in items if state is None or each["state"] == state]


async def proposed(desk):
    found = await filings(desk, "proposed")
    return found[0]["filing_id"] if found else None


async def confirm(desk, filing, digest=None, **how):
    digest = digest or (await desk.plan(filing))["plan_digest"]
    return await desk.post(f"/v1/filings/{filing}:confirm", {"plan_digest": digest}, **how)


async def decline(desk, filing, **how):
    return await desk.post(f"/v1/filings/{filing}:decline", **how)


async def change(desk, filing, **fields):
    form = {**(await desk.filing(filing))["form"], **fields}
    client = await desk.as_()
    return await client.put(f"/v1/filings/{filing}", json={"form": form, "determinants": {}})


async def sweep(desk):
    fired = 0
    while count := await usecases.sweep_proposals(desk.app.store, system("orchestration")):
        fired += count
    return fired


async def test_a_registered_birth_proposes_the_allowance_once(desk, registered, others):
    asked = list(others.library.callers)
    source, cases, filing = await registered()
    assert len(await filings(desk, "proposed")) == 1
    found = await desk.filing(filing)
    assert (found["matter_code"], found["state"], found["form"], found["cases"]) == (
        "child_allowance",
        "proposed",
        FILLED,
        [],
    )
    told = (await desk.get(f"/v1/filings/{filing}/proposal")).json()
    assert told["text"] == "您的“出生登记(户口)”已办结，可以享受“育儿补贴”，请核对预填内容后确认"
    assert (told["source_filing_id"], told["source_case_id"]) == (source, cases[SOURCE])
    assert told["source_filing_no"] == (await desk.filing(source))["filing_no"]
    fields = {each["field"]: each for each in told["fields"]}
    assert fields["child_id_number"] == {
        "field": "child_id_number",
        "title": "婴幼儿公民身份号码",
        "sources": ["新生儿公民身份号码"],
        "changeable": False,
    }
    assert fields["birth_date"]["sources"] == ["出生时间"]
    assert {name for name, each in fields.items() if each["changeable"]} == {"phone", "bank_account"}
    assert await desk.told(filing) == ["根据已办结的事项预先填好，提示您确认"]
    # Nobody but its person hears what it says: the fact names a matter, no department has a case, no library was asked.
    (row,) = await desk.rows("select body from outbox where type like '%FilingProposed'")
    fact = filing_pb.FilingProposed.FromString(row.body)
    assert (fact.filing_id, fact.matter_name, fact.applicant_id) == (filing, "育儿补贴", MOTHER)
    assert not any(value.encode() in row.body for value in FILLED.values())
    listed = (await desk.get("/v1/cases?page_size=100", "health")).json()["items"]
    assert "child_allowance" not in {each["item"] for each in listed}
    assert {verb for verb, _ in others.library.callers[len(asked) :]} <= {"find", "verify", "issue"}
    (sealed,) = await desk.rows("select content from filings where id = cast(:id as uuid)", id=filing)
    assert "张小满".encode() not in sealed.content
    assert await desk.motionless() == []


async def test_what_would_be_used_is_shown_and_one_act_confirms(desk, registered, others):
    _, _, filing = await registered()
    before = len(others.library.callers)
    plan = await desk.plan(filing)
    assert [verb for verb, _ in others.library.callers[before:]] == ["find"]
    assert {each["code"]: each["status"] for each in plan["materials"]} == {
        "birth_certificate": "waived",
        "household_book": "waived",
        "bank_account": "provided",
    }
    answer = await confirm(desk, filing, plan["plan_digest"], key="once")
    again = await confirm(desk, filing, plan["plan_digest"], key="once")
    assert (answer.status_code, answer.json()) == (200, again.json())
    (case,) = answer.json()["cases"]
    assert (answer.json()["state"], case["item"], case["status"]) == ("submitted", "child_allowance", "ready")
    assert "verify" in [verb for verb, _ in others.library.callers[before:]]
    ended = await confirm(desk, filing, plan["plan_digest"], key="another")
    assert (ended.status_code, ended.json()["reason"]) == (409, "PROPOSAL_ENDED")
    assert (await facts(desk)).count("filing.proposed") == 1
    await desk.do(case["case_id"], "accept", name="health")
    assert (await desk.do(case["case_id"], "approve", {"result": GRANTED}, "health")).status_code == 200
    assert (await desk.filing(filing))["state"] == "closed"
    assert await desk.told(filing) == [
        "根据已办结的事项预先填好，提示您确认",
        "您已确认，共1个事项",
        "“育儿补贴申领”已受理",
        "“育儿补贴申领”已办结，准予办理",
    ]


async def test_only_what_may_be_changed_is_changed(desk, registered):
    _, _, filing = await registered()
    digest = (await desk.plan(filing))["plan_digest"]
    fixed = await change(desk, filing, child_name="李小满")
    assert (fixed.status_code, fixed.json()["reason"]) == (422, "FIELD_FIXED")
    assert fixed.json()["data"]["fields"] == ["child_name"]
    assert (await change(desk, filing, phone="nonsense")).json()["reason"] == "DRAFT_INVALID"
    assert (await change(desk, filing, phone="19900000009")).status_code == 200
    told = {f["field"]: f["sources"] for f in (await desk.get(f"/v1/filings/{filing}/proposal")).json()["fields"]}
    assert (told["phone"], told["bank_account"]) == ([], ["待遇发放银行账号"])
    stale = await confirm(desk, filing, digest)
    assert (stale.status_code, stale.json()["reason"]) == (409, "PLAN_CHANGED")
    assert (await confirm(desk, filing)).status_code == 200
    late = await change(desk, filing, phone="19900000008")
    assert (late.status_code, late.json()["reason"]) == (409, "FILING_ALREADY_SUBMITTED")


async def test_what_was_not_given_is_asked_for_before_the_confirmation(desk, registered):
    form = {key: value for key, value in FORM.items() if key != "bank_account"}
    _, _, filing = await registered(insured="not_insured", form=form)
    assert "bank_account" not in (await desk.filing(filing))["form"]
    refused = await confirm(desk, filing)
    assert (refused.status_code, refused.json()["reason"]) == (422, "DRAFT_INVALID")
    assert refused.json()["data"]["errors"] == [{"field": "bank_account", "reason": "REQUIRED"}]
    assert (await change(desk, filing, bank_account="6222000011112222")).status_code == 200
    assert (await confirm(desk, filing)).status_code == 200


async def test_evidence_consent_and_proof_are_asked_at_the_confirmation(desk, registered, others):
    _, _, filing = await registered()
    others.library.findings["household_book"] = licence_pb2.FINDING_MISSING
    missing = await confirm(desk, filing)
    assert (missing.status_code, missing.json()["reason"]) == (409, "MATERIALS_MISSING")
    others.library.findings.clear()
    others.departments.proof_level = 2
    weak = await confirm(desk, filing)
    assert (weak.status_code, weak.json()["reason"]) == (403, "PROOF_TOO_WEAK")
    assert (await desk.filing(filing))["state"] == "proposed"


async def test_a_scan_may_stand_for_what_the_library_lacks_and_goes_with_the_proposal(desk, registered, others):
    _, _, filing = await registered()
    others.library.findings["household_book"] = licence_pb2.FINDING_MISSING
    assert (await desk.upload(filing, "household_book", b"%PDF-1.7 scan")).status_code == 200
    assert (await confirm(desk, filing)).status_code == 200
    others.library.findings.clear()
    _, _, filing = await registered()
    assert (await desk.upload(filing, "household_book", b"%PDF-1.7 scan")).status_code == 200
    assert (await decline(desk, filing)).status_code == 200
    assert await desk.rows("select 1 from attachments where filing_id = cast(:id as uuid)", id=filing) == []
    assert len(await desk.rows("select 1 from attachment_pieces")) == 1


async def test_who_declines_is_not_asked_again_and_nothing_is_kept(desk, registered, told):
    _, cases, filing = await registered()
    answer = await decline(desk, filing, key="no")
    assert (await decline(desk, filing, key="no")).json() == answer.json()
    assert (answer.status_code, answer.json()["state"], answer.json()["form"]) == (200, "declined", {})
    await told(cases[SOURCE])
    assert await proposed(desk) is None
    for late in (await confirm(desk, filing, "0" * 64), await decline(desk, filing)):
        assert (late.status_code, late.json()["reason"]) == (409, "PROPOSAL_ENDED")
    assert (await desk.get(f"/v1/filings/{filing}/plan")).json()["reason"] == "PROPOSAL_ENDED"
    assert (await change(desk, filing, phone="19900000008")).json()["reason"] == "PROPOSAL_ENDED"
    assert (await desk.told(filing))[-1] == "您已谢绝，预填内容已删除"
    assert await sweep(desk) == 0


async def test_what_nobody_confirms_in_time_is_let_go(desk, registered, clock):
    _, _, filing = await registered()
    due_at = (await desk.get(f"/v1/filings/{filing}/proposal")).json()["due_at"]
    digest = (await desk.plan(filing))["plan_digest"]
    assert await sweep(desk) == 0
    clock.advance(timedelta(days=60))
    # Its time is over whether or not the clock door has looked.
    assert (await confirm(desk, filing, digest)).json()["reason"] == "PROPOSAL_ENDED"
    assert (await desk.filing(filing))["state"] == "proposed"
    assert sum(await asyncio.gather(sweep(desk), sweep(desk))) == 1
    found = await desk.filing(filing)
    assert (found["state"], found["form"]) == ("expired", {})
    assert (await desk.told(filing))[-1] == "逾期未确认，预填内容已删除"
    assert due_at < found["closed_at"]
    assert await desk.motionless() == []


async def test_a_confirmation_and_its_refusal_at_once_are_one_of_them(desk, registered):
    for _ in range(4):
        _, _, filing = await registered()
        digest = (await desk.plan(filing))["plan_digest"]
        answers = await asyncio.gather(
            confirm(desk, filing, digest), decline(desk, filing), confirm(desk, filing, digest)
        )
        assert sorted(answer.status_code for answer in answers) == [200, 409, 409]
        state = (await desk.filing(filing))["state"]
        assert state == ("declined" if answers[1].status_code == 200 else "submitted")
        ended = await desk.rows("select 1 from proposals where ended_at is null")
        assert ended == []


async def test_what_was_refused_or_does_not_fit_proposes_nothing(desk, told):
    await desk.publish(child_allowance_json())
    _, cases = await desk.submitted()
    await desk.pass_(cases, "birth_certificate")
    await told(cases["birth_certificate"])
    await desk.accept(cases[SOURCE], SOURCE)
    await desk.refuse(cases[SOURCE], SOURCE)
    await told(cases[SOURCE], pb.OUTCOME_REFUSED)
    _, cases = await desk.submitted(form={**FORM, "birth_time": "2021-02-27T08:30:00+08:00"})
    await desk.pass_(cases, "birth_certificate", SOURCE)
    await told(cases[SOURCE])
    assert await filings(desk, "proposed") == []


async def test_a_licence_may_be_the_cause(desk, told):
    definition = child_allowance_json()
    definition["proposed_by"] |= {"item": "birth_certificate", "cause": "licence"}
    definition["proposed_by"]["form"].pop("child_id_number")
    definition["proposed_by"]["changeable"].append("child_id_number")
    await desk.publish(definition)
    _, cases = await desk.submitted()
    await desk.pass_(cases, "birth_certificate")
    await told(cases["birth_certificate"])
    assert await proposed(desk) is None
    while await desk.run_calls():
        pass
    await told(cases["birth_certificate"], handle=propose_after_licence)
    assert len(await filings(desk, "proposed")) == 1


async def test_a_proposal_is_confirmed_and_a_draft_submitted(desk, registered):
    _, _, filing = await registered()
    digest = (await desk.plan(filing))["plan_digest"]
    client = await desk.as_()
    for answer in (
        await desk.submit(filing, digest),
        await client.delete(f"/v1/filings/{filing}"),
    ):
        assert (answer.status_code, answer.json()["reason"]) == (409, "FILING_PROPOSED")
    for _ in range(2):
        withdrawn = await desk.post(f"/v1/filings/{filing}:withdraw")
        assert (withdrawn.status_code, withdrawn.json()["reason"]) == (409, "FILING_NOT_SUBMITTED")
        await decline(desk, filing)
    draft = await desk.draft()
    assert (await confirm(desk, draft)).json()["reason"] == "FILING_NOT_FOUND"
    assert (await decline(desk, draft)).status_code == 404
    assert (await desk.get(f"/v1/filings/{draft}/proposal")).status_code == 404


async def test_a_proposal_without_a_timer_would_be_seen(desk, registered):
    _, _, filing = await registered()
    async with desk.app.store.database.engine.begin() as connection:
        await connection.execute(text("update proposals set ended_at = now()"))
        # The news of it is out: nothing else will come.
        await connection.execute(text("update outbox set published_at = now()"))
    assert [each.filing_id for each in await desk.motionless()] == [filing]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"matter": "gone"}, "SOURCE_MATTER_UNKNOWN"),
        ({"item": "gone"}, "SOURCE_ITEM_UNKNOWN"),
        ({"cause": "licence"}, "SOURCE_GIVES_NO_LICENCE"),
        ({"when": "form.gone == 'x'"}, "SOURCE_FIELD_UNKNOWN"),
    ],
)
async def test_a_definition_names_what_its_source_declares(desk, change, code):
    definition = child_allowance_json()
    definition["proposed_by"] |= change
    answer = await desk.post("/v1/matters", definition, "bureau")
    assert (answer.status_code, answer.json()["reason"]) == (422, "DEFINITION_INVALID")
    assert [problem["code"] for problem in answer.json()["data"]["problems"]] == [code]
