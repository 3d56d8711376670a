"""Decisions reach their applicants: opened, or handed over another way; once, and proved."""

import asyncio
from datetime import timedelta

import pytest

from .test_documents import papers, pdf, problem
from .test_story import facts

ITEM = "birth_certificate"


async def decided(desk):
    filing, cases = await desk.submitted()
    await desk.pass_(cases, ITEM)
    (paper,) = [each for each in await papers(desk, filing) if each["kind"] == "approval"]
    return filing, cases[ITEM], paper


async def delivery(desk, filing):
    (found,) = [each["delivery"] for each in await papers(desk, filing) if each["delivery"]]
    return found


async def undelivered(desk, name="health"):
    listed = (await desk.get("/v1/cases?undelivered=true", name)).json()["items"]
    assert all(line["undelivered"] for line in listed)
    return [line["case_id"] for line in listed]


async def test_opening_the_decision_delivers_it_once(desk, clock):
    filing, case, paper = await decided(desk)
    assert (await delivery(desk, filing))["mode"] is None
    assert await undelivered(desk) == [case]
    assert await undelivered(desk, "police") == []
    assert (await pdf(desk, paper)).status_code == 200
    first = await delivery(desk, filing)
    assert (first["mode"], first["delivered_at"] is not None, first["proof"]) == ("online", True, None)
    assert await undelivered(desk) == []
    clock.advance(timedelta(days=2))
    await asyncio.gather(*(pdf(desk, paper) for _ in range(3)))
    assert await delivery(desk, filing) == first
    assert (await facts(desk)).count("case.delivered") == 1
    assert (await desk.told(filing)).count("“出生医学证明(首次签发)”的文书已送达：申请人在线查收") == 1


async def test_first_openings_at_once_deliver_once(desk):
    filing, _, paper = await decided(desk)
    pages = await asyncio.gather(*(pdf(desk, paper) for _ in range(5)))
    assert {page.status_code for page in pages} == {200}
    assert (await facts(desk)).count("case.delivered") == 1
    assert (await desk.rows("select count(*) from journal where act = 'orchestration.open_document'"))[0][0] == 1
    assert (await delivery(desk, filing))["mode"] == "online"


async def test_neither_receipts_nor_officers_reading_deliver_anything(desk):
    filing, cases = await desk.submitted()
    await desk.accept(cases[ITEM], ITEM)
    (receipt,) = [each for each in await papers(desk, filing) if each["kind"] == "acceptance"]
    assert receipt["delivery"] is None
    await pdf(desk, receipt)
    await desk.approve(cases[ITEM], ITEM)
    (paper,) = [each for each in await papers(desk, filing) if each["kind"] == "approval"]
    assert (await pdf(desk, paper, "health")).status_code == 200
    assert await undelivered(desk) == [cases[ITEM]]
    assert "case.delivered" not in await facts(desk)


@pytest.mark.parametrize("mode", ["window", "post", "left"])
async def test_an_officer_records_how_it_was_handed_over(desk, mode):
    filing, case, paper = await decided(desk)
    receipt = {"mode": mode, "proof": "1100123456789"}
    answers = await asyncio.gather(*(desk.do(case, "deliver", receipt, "health", key="once") for _ in range(3)))
    assert {each.status_code for each in answers} == {200}
    assert [each.json()[0]["mode"] for each in answers] == [mode] * 3
    again = await desk.do(case, "deliver", receipt, "health")
    assert problem(again) == (409, "CASE_ALREADY_DELIVERED")
    (row,) = await desk.rows("select proof from deliveries")
    assert b"1100123456789" not in row.proof
    seen = (await desk.get(f"/v1/cases/{case}", "health")).json()["deliveries"]
    assert [(each["mode"], each["proof"]) for each in seen] == [(mode, "1100123456789")]
    # Opened later it is no second delivery.
    await pdf(desk, paper)
    assert (await delivery(desk, filing))["mode"] == mode
    assert (await facts(desk)).count("case.delivered") == 1


async def test_of_opening_and_recording_at_once_one_delivers(desk):
    filing, case, paper = await decided(desk)
    recorded, page = await asyncio.gather(desk.do(case, "deliver", {"mode": "window"}, "health"), pdf(desk, paper))
    assert (recorded.status_code in {200, 409}, page.status_code) == (True, 200)
    found = (await delivery(desk, filing))["mode"]
    assert found == ("window" if recorded.status_code == 200 else "online")
    assert (await facts(desk)).count("case.delivered") == 1


@pytest.mark.parametrize(
    "receipt",
    [
        {"mode": "online"},
        {"mode": "post"},
        {"mode": "left"},
        {"mode": "public"},
        {"mode": "window", "on": "9999-12-31"},
        {"mode": "window", "on": "0001-01-01"},
        {"mode": "public", "on": "9999-12-31", "proof": "p"},
    ],
)
async def test_what_proves_nothing_is_no_delivery(desk, receipt):
    filing, case, _ = await decided(desk)
    assert problem(await desk.do(case, "deliver", receipt, "health")) == (422, "DELIVERY_UNFIT")
    assert (await delivery(desk, filing))["mode"] is None


async def test_a_public_announcement_takes_thirty_days(desk, clock):
    filing, case, _ = await decided(desk)
    announced = clock().date().isoformat()
    receipt = {"mode": "public", "on": announced, "proof": "淄博日报第8版"}
    clock.advance(timedelta(days=29))
    assert problem(await desk.do(case, "deliver", receipt, "health")) == (422, "DELIVERY_UNFIT")
    clock.advance(timedelta(days=1))
    assert (await desk.do(case, "deliver", receipt, "health")).status_code == 200
    assert (await delivery(desk, filing))["mode"] == "public"


async def test_what_is_not_decided_or_not_ones_own_is_not_delivered(desk):
    _, cases = await desk.submitted()
    assert problem(await desk.do(cases[ITEM], "deliver", {"mode": "window"}, "health")) == (409, "NOTHING_TO_DELIVER")
    _, case, _ = await decided(desk)
    assert problem(await desk.do(case, "deliver", {"mode": "window"}, "police")) == (404, "CASE_NOT_FOUND")


async def test_the_term_is_ten_working_days(desk):
    filing, _, paper = await decided(desk)
    found = await delivery(desk, filing)
    assert found["issued_at"] == paper["issued_at"]
    assert found["due_at"].startswith("2026-")
    assert found["due_at"] > found["issued_at"]
