"""Ways that a case ends without a decision: not taken up, taken back, ended by its department."""

import asyncio

import pytest

from .test_story import facts

ITEMS = ("birth_certificate", "vaccination_certificate", "parenting_guidance")


@pytest.mark.parametrize("ground", ["NOT_NEEDED", "NOT_ELIGIBLE", "FALSE_MATERIAL", "ALREADY_HELD"])
async def test_a_case_is_not_taken_up_on_a_ground_of_the_law(desk, ground):
    filing, cases = await desk.submitted()
    answer = await desk.decline(cases["birth_certificate"], "birth_certificate", ground)
    assert (answer.status_code, answer.json()["status"], answer.json()["reason_code"]) == (200, "declined", ground)
    statuses = await desk.statuses(filing)
    # All that needs the certificate leaves with it; what stands on its own stays.
    assert {item for item, status in statuses.items() if status == "pruned"} == {
        "household_registration",
        "medical_insurance",
        "social_security_card",
        "maternity_allowance",
    }
    assert statuses["vaccination_certificate"] == "ready"
    assert (await desk.told(filing))[-1].startswith("“出生医学证明(首次签发)”不予受理：")
    case = next(c for c in (await desk.filing(filing))["cases"] if c["item"] == "birth_certificate")
    assert case["explanation"] == "经查不符合申请条件"
    assert (await facts(desk)).count("case.declined") == 1


async def test_who_is_not_competent_names_who_is(desk):
    filing, cases = await desk.submitted()
    case = cases["parenting_guidance"]
    for body in ({"ground": "NOT_COMPETENT"}, {"ground": "NOT_NEEDED", "competent_organ": "淄川区卫生健康局"}):
        refused = await desk.decline(case, "parenting_guidance", **body)
        assert (refused.status_code, refused.json()["reason"]) == (422, "ORGAN_MISSING")
    answer = await desk.decline(case, "parenting_guidance", "NOT_COMPETENT", competent_organ="淄川区卫生健康局")
    assert answer.json()["competent_organ"] == "淄川区卫生健康局"
    found = next(c for c in (await desk.filing(filing))["cases"] if c["item"] == "parenting_guidance")
    assert found["competent_organ"] == "淄川区卫生健康局"


async def test_what_was_accepted_or_is_not_ready_is_not_declined(desk):
    _, cases = await desk.submitted()
    await desk.accept(cases["birth_certificate"], "birth_certificate")
    refused = await desk.decline(cases["birth_certificate"], "birth_certificate")
    assert (refused.status_code, refused.json()["reason"]) == (409, "CASE_ALREADY_ACCEPTED")
    refused = await desk.decline(cases["household_registration"], "household_registration")
    assert refused.json()["reason"] == "CASE_NOT_READY"


async def test_a_mother_takes_one_case_back(desk):
    filing, cases = await desk.submitted()
    answer = await desk.withdraw(cases["parenting_guidance"])
    assert (answer.status_code, answer.json()["status"]) == (200, "withdrawn")
    again = await desk.withdraw(cases["parenting_guidance"])
    assert (again.status_code, again.json()["reason"]) == (409, "CASE_ALREADY_DECIDED")
    assert (await desk.statuses(filing))["birth_certificate"] == "ready"
    # A waiting one too, and with it what needs it.
    assert (await desk.withdraw(cases["household_registration"])).status_code == 200
    statuses = await desk.statuses(filing)
    assert statuses["social_security_card"] == statuses["medical_insurance"] == "pruned"
    await desk.pass_(cases, "birth_certificate", "vaccination_certificate", "maternity_allowance")
    await desk.run_calls()
    assert (await desk.filing(filing))["state"] == "closed"
    assert "申请人撤回“出生登记(户口)”" in await desk.told(filing)


async def test_a_mother_takes_the_whole_filing_back(desk):
    filing, cases = await desk.submitted()
    await desk.pass_(cases, "birth_certificate")
    await desk.accept(cases["household_registration"], "household_registration")
    answer = await desk.post(f"/v1/filings/{filing}:withdraw")
    assert answer.status_code == 200
    statuses = await desk.statuses(filing)
    assert statuses.pop("birth_certificate") == "approved"
    assert set(statuses.values()) == {"withdrawn"}
    # The certificate was decided before: it is issued all the same, and the filing closes with it.
    assert not await desk.motionless()
    await desk.run_calls()
    assert (await desk.filing(filing))["state"] == "closed"
    assert (await facts(desk)).count("filing.closed") == 1
    assert (await desk.told(filing))[-2] == "申请人撤回申请，涉及6个未办结事项"
    again = await desk.post(f"/v1/filings/{filing}:withdraw", key="again")
    assert (again.status_code, again.json()["reason"]) == (409, "CASE_ALREADY_DECIDED")


async def test_a_draft_is_not_withdrawn(desk):
    answer = await desk.post(f"/v1/filings/{await desk.draft()}:withdraw")
    assert (answer.status_code, answer.json()["reason"]) == (409, "FILING_NOT_SUBMITTED")


async def test_after_the_decision_it_is_too_late(desk, others):
    """The call for the licence is on its way: nothing holds it up any more."""
    filing, cases = await desk.submitted()
    await desk.pass_(cases, "birth_certificate")
    refused, calls = await asyncio.gather(desk.withdraw(cases["birth_certificate"]), desk.run_calls())
    assert (refused.status_code, refused.json()["reason"], calls) == (409, "CASE_ALREADY_DECIDED", 1)
    assert (await desk.statuses(filing))["birth_certificate"] == "certificate_made"
    assert len(others.library.issued) == 1


@pytest.mark.parametrize("whole", [False, True])
async def test_of_withdrawal_and_approval_at_once_one_wins(desk, whole):
    for _ in range(4):
        filing, cases = await desk.submitted()
        case = cases["birth_certificate"]
        await desk.accept(case, "birth_certificate")
        back = desk.post(f"/v1/filings/{filing}:withdraw") if whole else desk.withdraw(case)
        approved, withdrawn = await asyncio.gather(desk.approve(case, "birth_certificate"), back)
        status = (await desk.statuses(filing))["birth_certificate"]
        calls = await desk.rows("select id from calls where case_id = cast(:id as uuid)", id=case)
        if approved.status_code == 200:
            assert (status, len(calls)) == ("approved", 1)
            # Of a whole filing the rest is taken back all the same.
            assert withdrawn.status_code == (200 if whole else 409)
        else:
            assert approved.json()["reason"] == "CASE_ALREADY_DECIDED"
            assert (withdrawn.status_code, status, len(calls)) == (200, "withdrawn", 0)
    assert not await desk.motionless()


async def test_a_department_ends_a_case_that_cannot_be_decided(desk):
    filing, cases = await desk.submitted()
    await desk.accept(cases["birth_certificate"], "birth_certificate")
    answer = await desk.terminate(cases["birth_certificate"], "birth_certificate")
    assert (answer.status_code, answer.json()["status"]) == (200, "terminated")
    assert (await desk.statuses(filing))["household_registration"] == "pruned"
    assert (await desk.told(filing))[-1] == "“出生医学证明(首次签发)”终止办理：申请人逾期未答复"
    await desk.pass_(cases, "vaccination_certificate", "parenting_guidance")
    await desk.run_calls()
    assert (await desk.filing(filing))["state"] == "closed"
    refused = await desk.terminate(cases["vaccination_certificate"], "vaccination_certificate")
    assert refused.json()["reason"] == "CASE_ALREADY_DECIDED"
