"""Clerical errors of decisions are put right beside them: once stated, kept, told and shown on the licence."""

import asyncio
from datetime import timedelta

import pytest

from .desk import DEPARTMENT, RESULTS
from .test_deliveries import undelivered
from .test_documents import papers, pdf, problem
from .test_story import facts

ITEM = "birth_certificate"
RIGHT = {"reason": "证书编号录入有误", "result": {"certificate_no": "B987654321"}}


async def correct(desk, case, body=None, item=ITEM, **how):
    return await desk.do(case, "correct", body or RIGHT, how.pop("name", DEPARTMENT[item]), **how)


async def granted(desk):
    filing, cases = await desk.submitted()
    await desk.pass_(cases, ITEM)
    await desk.run_calls()
    return filing, cases[ITEM]


async def test_a_result_is_corrected_beside_the_decision_and_on_the_licence(desk, others):
    filing, case = await granted(desk)
    before = (await desk.case(filing, ITEM))["version"]
    answer = await correct(desk, case)
    assert (answer.status_code, answer.json()["status"], answer.json()["version"]) == (
        200,
        "certificate_made",
        before + 1,
    )
    now = await desk.case(filing, ITEM)
    assert now["result"] == RIGHT["result"]
    (kept,) = (await desk.get(f"/v1/cases/{case}", "health")).json()["corrections"]
    assert (kept["reason"], kept["before"]["result"], kept["after"]["result"]) == (
        RIGHT["reason"],
        RESULTS[ITEM],
        RIGHT["result"],
    )
    assert await desk.run_calls() == 1
    assert others.library.corrected[now["licence_id"]]["certificate_no"] == "B987654321"
    (paper,) = [each for each in await papers(desk, filing) if each["kind"] == "correction"]
    assert (paper["title"], paper["delivery"]["mode"]) == ("更正通知书", None)
    assert await undelivered(desk) == [case]
    told = await desk.told(filing)
    assert told[-2:] == ["“出生医学证明(首次签发)”的决定已更正", "“出生医学证明(首次签发)”的证照已按更正换发"]
    assert (await facts(desk)).count("case.corrected") == 1
    (row,) = await desk.rows("select content from corrections")
    assert b"B987654321" not in row.content


async def test_delivery_begins_anew_with_each_correction(desk):
    filing, case = await granted(desk)
    for number in ("B000000001", "B000000002"):
        for paper in await papers(desk, filing):
            await pdf(desk, paper)
        assert await undelivered(desk) == []
        assert (await correct(desk, case, RIGHT | {"result": {"certificate_no": number}})).status_code == 200
        await desk.run_calls()
        assert await undelivered(desk) == [case]
    notes = [each["no"] for each in await papers(desk, filing) if each["kind"] == "correction"]
    assert len(set(notes)) == 2
    genuine = await desk.post(
        "/v1/documents:check", {"no": notes[-1], "code": (await papers(desk, filing))[-1]["code"]}
    )
    assert (genuine.status_code, genuine.json()["kind"]) == (200, "correction")


async def test_the_licence_follows_in_its_time_and_then_it_can_be_corrected_again(desk, others, clock):
    filing, case = await granted(desk)
    others.library.failing = 1
    assert (await correct(desk, case)).status_code == 200
    await desk.run_calls()
    again = RIGHT | {"result": {"certificate_no": "C111111111"}}
    assert problem(await correct(desk, case, again)) == (409, "RESULT_NOT_ISSUED")
    clock.advance(timedelta(minutes=1))
    assert await desk.run_calls() == 1
    assert (await correct(desk, case, again)).status_code == 200
    await desk.run_calls()
    licence = (await desk.case(filing, ITEM))["licence_id"]
    assert others.library.corrected[licence]["certificate_no"] == "C111111111"
    assert len((await desk.get(f"/v1/cases/{case}", "health")).json()["corrections"]) == 2


async def test_reasons_are_corrected_where_the_decision_gave_reasons(desk):
    filing, cases = await desk.submitted()
    await desk.accept(cases[ITEM], ITEM)
    await desk.refuse(cases[ITEM], ITEM)
    right = {"reason": "笔误", "explanation": "父母双方均非本区户籍"}
    assert problem(await correct(desk, cases[ITEM], RIGHT)) == (422, "CORRECTION_UNFIT")
    assert (await correct(desk, cases[ITEM], right)).status_code == 200
    found = await desk.case(filing, ITEM)
    assert (found["status"], found["explanation"]) == ("refused", "父母双方均非本区户籍")
    assert problem(await correct(desk, cases[ITEM], right)) == (422, "CORRECTION_UNFIT")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"reason": "没有变化", "result": RESULTS[ITEM]}, "CORRECTION_UNFIT"),
        ({"reason": "没有内容"}, "CORRECTION_UNFIT"),
        ({"reason": "准予没有理由", "explanation": "理由"}, "CORRECTION_UNFIT"),
        ({"reason": "不合格式", "result": {"certificate_no": "1"}}, "RESULT_INVALID"),
        ({"reason": "没有这一项", "result": {"nothing": "1"}}, "RESULT_INVALID"),
    ],
)
async def test_what_corrects_nothing_is_refused(desk, body, reason):
    _, case = await granted(desk)
    assert problem(await correct(desk, case, body)) == (422, reason)
    assert "case.corrected" not in await facts(desk)


async def test_only_the_department_corrects_and_only_what_it_decided(desk):
    _, cases = await desk.submitted()
    assert problem(await correct(desk, cases[ITEM])) == (409, "CASE_NOT_DECIDED")
    await desk.withdraw(cases["parenting_guidance"])
    assert problem(await correct(desk, cases["parenting_guidance"])) == (409, "CASE_NOT_DECIDED")
    await desk.pass_(cases, ITEM)
    # The licence is on its way.
    assert problem(await correct(desk, cases[ITEM])) == (409, "RESULT_NOT_ISSUED")
    await desk.run_calls()
    assert problem(await correct(desk, cases[ITEM], name="police")) == (404, "CASE_NOT_FOUND")


async def test_the_same_correction_at_once_counts_once_and_closes_nothing_again(desk):
    filing, cases = await desk.submitted()
    await desk.pass_(cases, ITEM)
    await desk.post(f"/v1/filings/{filing}:withdraw")
    await desk.run_calls()
    closed = (await desk.filing(filing))["closed_at"]
    assert closed
    answers = await asyncio.gather(*(correct(desk, cases[ITEM], key=f"key{n}") for n in range(3)))
    assert sorted(each.status_code for each in answers) == [200, 409, 409]
    assert {problem(each)[1] for each in answers if each.status_code == 409} == {"RESULT_NOT_ISSUED"}
    assert (await desk.filing(filing))["closed_at"] == closed
    assert (await facts(desk)).count("filing.closed") == 1
    assert not await desk.motionless()
