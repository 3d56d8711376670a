"""Scans of what a department asked for, or let follow: for exactly that, while it is open, named in the answer."""

import asyncio
from datetime import timedelta

import pytest
from tongban.verification.v1 import licence_pb2

from .test_attachments import JPEG, PDF, PNG, problem
from .test_supplements import ITEM, lenient, tolerated

__all__ = ["lenient"]

FATHER, MOTHER = "father_id_card", "mother_id_card"
HOSPITAL = {"hospital": "淄博市立医院"}
ANOTHER = "00000000-0000-7000-8000-000000000203"


@pytest.fixture
async def asked(desk, others):
    """The father's card is asked for, and the library has none."""
    filing, cases = await desk.submitted()
    answer = await desk.ask(cases[ITEM], ITEM, fields=["hospital"], materials=[FATHER])
    assert answer.status_code == 200, answer.text
    others.library.findings[FATHER] = licence_pb2.FINDING_MISSING
    return filing, cases[ITEM]


async def uploaded(desk, filing, content=PDF, requirement=FATHER, **how):
    answer = await desk.upload(filing, requirement, content, **how)
    assert answer.status_code == 200, answer.text
    return answer.json()["attachment_id"]


async def files(desk, filing):
    return [each["attachment_id"] for each in (await desk.get(f"/v1/filings/{filing}/attachments")).json()]


async def material(desk, case, code, officer):
    materials = (await desk.get(f"/v1/cases/{case}", officer)).json()["materials"]
    return next(each for each in materials if each["code"] == code)


async def test_a_mother_answers_with_scans_and_the_officer_reads_them(desk, asked):
    filing, case = asked
    front = await uploaded(desk, filing, PDF)
    back = await uploaded(desk, filing, JPEG, kind="image/jpeg")
    path = f"/v1/cases/{case}/attachments/{front}"
    # Until the answer names it, it is the applicant's alone.
    assert problem(await desk.get(path, "health")) == (404, "ATTACHMENT_NOT_FOUND")
    unnamed = await desk.do(case, "answer_supplement", {"form": HOSPITAL})
    assert problem(unnamed) == (409, "MATERIALS_MISSING")
    answer = await desk.do(case, "answer_supplement", {"form": HOSPITAL, "attachments": [front, back]})
    assert (answer.status_code, answer.json()["status"]) == (200, "ready"), answer.text
    seen = await material(desk, case, FATHER, "health")
    assert (seen["status"], seen["text"], seen["data"]["attachments"]) == ("provided", "已上传扫描件", [front, back])
    assert (await desk.get(path, "health")).content == PDF
    assert problem(await desk.get(path, "police")) == (404, "CASE_NOT_FOUND")
    # What was handed in stays, and the door is closed again.
    assert problem(await desk.upload(filing, FATHER, PNG, kind="image/png")) == (409, "FILING_ALREADY_SUBMITTED")
    client = await desk.as_()
    refused = await client.delete(f"/v1/filings/{filing}/attachments/{front}")
    assert problem(refused) == (409, "FILING_ALREADY_SUBMITTED")


async def test_only_what_is_asked_for_may_be_uploaded_and_named(desk, asked):
    filing, case = asked
    refused = await desk.upload(filing, MOTHER, PDF)
    assert problem(refused) == (422, "SUPPLEMENT_UNFIT")
    assert refused.json()["data"]["materials"] == [FATHER]
    assert problem(await desk.upload(filing, FATHER, PDF, person=ANOTHER)) == (404, "FILING_NOT_FOUND")
    assert problem(await desk.upload(filing, FATHER, b"MZ")) == (422, "ATTACHMENT_KIND_UNKNOWN")
    unknown = {"form": HOSPITAL, "attachments": [case]}
    assert problem(await desk.do(case, "answer_supplement", unknown)) == (404, "ATTACHMENT_NOT_FOUND")
    bad = {"form": HOSPITAL, "attachments": ["' or 1=1"]}
    assert problem(await desk.do(case, "answer_supplement", bad)) == (422, "REQUEST_INVALID")
    assert await files(desk, filing) == []


async def test_a_scan_of_another_requirement_cannot_be_named(desk, others):
    others.library.findings[MOTHER] = licence_pb2.FINDING_MISSING
    filing = await desk.draft()
    before = await uploaded(desk, filing, PDF, MOTHER)
    cases = {each["item"]: each["case_id"] for each in (await desk.submit(filing)).json()["cases"]}
    await desk.ask(cases[ITEM], ITEM, materials=[FATHER])
    named = await desk.do(cases[ITEM], "answer_supplement", {"attachments": [before]})
    assert problem(named) == (422, "SUPPLEMENT_UNFIT")


async def test_a_wrong_scan_is_taken_out_again_before_the_answer(desk, asked):
    filing, case = asked
    wrong = await uploaded(desk, filing, PDF)
    client = await desk.as_()
    assert (await client.delete(f"/v1/filings/{filing}/attachments/{wrong}")).status_code == 200
    assert await files(desk, filing) == []
    right = await uploaded(desk, filing, PNG, kind="image/png")
    assert (await desk.do(case, "answer_supplement", {"form": HOSPITAL, "attachments": [right]})).status_code == 200


async def test_who_is_asked_anew_has_room_for_new_scans_and_keeps_the_old(desk, others, clock):
    others.library.findings[FATHER] = licence_pb2.FINDING_MISSING
    filing = await desk.draft()
    old = [await uploaded(desk, filing, PDF + bytes([n])) for n in range(5)]
    cases = {each["item"]: each["case_id"] for each in (await desk.submit(filing)).json()["cases"]}
    clock.advance(timedelta(minutes=1))
    await desk.ask(cases[ITEM], ITEM, materials=[FATHER])
    # The old ones were found wanting: they do not answer by themselves.
    assert problem(await desk.do(cases[ITEM], "answer_supplement", {})) == (409, "MATERIALS_MISSING")
    client = await desk.as_()
    refused = await client.delete(f"/v1/filings/{filing}/attachments/{old[0]}")
    assert problem(refused) == (409, "FILING_ALREADY_SUBMITTED")
    new = [await uploaded(desk, filing, PDF + bytes([9, n])) for n in range(5)]
    assert problem(await desk.upload(filing, FATHER, JPEG, kind="image/jpeg")) == (409, "ATTACHMENTS_TOO_MANY")
    assert (await desk.do(cases[ITEM], "answer_supplement", {"attachments": new})).status_code == 200
    assert (await material(desk, cases[ITEM], FATHER, "health"))["data"]["attachments"] == new


async def test_a_licence_that_verifies_meanwhile_is_better(desk, others, asked):
    filing, case = asked
    scan = await uploaded(desk, filing)
    others.library.findings.clear()
    assert (await desk.do(case, "answer_supplement", {"form": HOSPITAL, "attachments": [scan]})).status_code == 200
    assert (await material(desk, case, FATHER, "health"))["reason"] == "MATERIAL_LICENCE_VERIFIED"


async def test_when_the_request_is_withdrawn_or_its_term_ends_nothing_is_uploaded(desk, clock):
    for end in ("withdrawn", "late"):
        filing, cases = await desk.submitted()
        await desk.ask(cases[ITEM], ITEM, materials=[FATHER])
        assert (await desk.upload(filing, FATHER, PDF)).status_code == 200
        if end == "withdrawn":
            await desk.do(cases[ITEM], "withdraw_request", name="health")
        else:
            clock.advance(timedelta(days=22))
            await desk.sweep()
        assert problem(await desk.upload(filing, FATHER, PNG, kind="image/png")) == (409, "FILING_ALREADY_SUBMITTED")


async def test_what_may_follow_is_scanned_too(lenient):
    desk = lenient
    filing, case = await tolerated(desk)
    assert problem(await desk.upload(filing, MOTHER, PDF)) == (422, "SUPPLEMENT_UNFIT")
    scan = await uploaded(desk, filing, PDF, "bank_account")
    answer = await desk.do(case, "supply_materials", {"attachments": [scan]})
    assert answer.status_code == 200, answer.text
    seen = await material(desk, case, "bank_account", "medical_insurance")
    assert (seen["status"], seen["data"]["attachments"]) == ("provided", [scan])
    read = await desk.get(f"/v1/cases/{case}/attachments/{scan}", "medical_insurance")
    assert read.content == PDF
    assert (await desk.approve(case, "maternity_allowance")).status_code == 200


async def test_uploading_and_answering_at_once_leaves_nothing_half_done(desk, others):
    for _ in range(4):
        others.library.findings.clear()
        filing, cases = await desk.submitted()
        case = cases[ITEM]
        await desk.ask(case, ITEM, materials=[FATHER])
        others.library.findings[FATHER] = licence_pb2.FINDING_MISSING
        scan = await uploaded(desk, filing)
        client = await desk.as_()
        answered, removed, late = await asyncio.gather(
            desk.do(case, "answer_supplement", {"attachments": [scan]}),
            client.delete(f"/v1/filings/{filing}/attachments/{scan}"),
            desk.upload(filing, FATHER, PNG, kind="image/png"),
        )
        # Either the scan was taken out first and the answer lacks it, or the answer stands on it.
        assert (answered.status_code == 200) != (removed.status_code == 200), (answered.text, removed.text)
        assert late.status_code in {200, 409}
        if answered.status_code == 200:
            assert scan in await files(desk, filing)
            assert (await desk.get(f"/v1/cases/{case}/attachments/{scan}", "health")).content == PDF
