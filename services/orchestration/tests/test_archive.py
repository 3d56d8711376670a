"""Closed filings rest after their term: when everything arrived, sealed, and never touched again."""

import asyncio
from datetime import timedelta

import pytest
from common.auth import system
from orchestration import usecases

from .desk import RESULTS
from .makers import newborn_json
from .test_corrections import RIGHT, correct
from .test_documents import papers, pdf, problem
from .test_story import facts

ITEM = "birth_certificate"
LONG = timedelta(days=31)


async def archive(desk):
    return await usecases.archive_filings(desk.app.store, system("orchestration"))


async def closed(desk, *, delivered=True):
    """A closed filing of which one case was granted and the others were taken back."""
    filing, cases = await desk.submitted()
    await desk.pass_(cases, ITEM)
    await desk.post(f"/v1/filings/{filing}:withdraw")
    await desk.run_calls()
    if delivered:
        for paper in await papers(desk, filing):
            await pdf(desk, paper)
    return filing, cases


async def manifest(desk, case, name="health"):
    answer = await desk.get(f"/v1/cases/{case}/archive", name)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_closed_filing_goes_to_the_archive_after_its_term(desk, clock):
    filing, cases = await closed(desk)
    assert await archive(desk) == 0
    clock.advance(timedelta(days=29))
    assert await archive(desk) == 0
    assert problem(await desk.get(f"/v1/cases/{cases[ITEM]}/archive", "health")) == (404, "ARCHIVE_NOT_FOUND")
    clock.advance(timedelta(days=1))
    assert await archive(desk) == 1
    assert await archive(desk) == 0
    assert (await desk.filing(filing))["state"] == "archived"
    found = await manifest(desk, cases[ITEM])
    told = found["manifest"]
    assert (told["filing_id"], len(told["cases"])) == (filing, len(RESULTS))
    listed = (await desk.get(f"/v1/filings/{filing}/documents")).json()
    assert {each["digest"] for each in told["documents"]} == {each["digest"] for each in listed}
    (granted,) = [each for each in told["cases"] if each["item"] == ITEM]
    assert granted["status"] == "certificate_made"
    assert all(granted["delivered_at"])
    (entry,) = await desk.rows("select details from journal where act = 'orchestration.archive_filing'")
    assert entry.details["digest"] == found["digest"]
    before = await desk.rows(
        "select count(*) from journal where subject_id = :id or details ->> 'filing_id' = :id", id=filing
    )
    assert told["journal"]["entries"] <= before[0][0]
    assert (await desk.told(filing))[-1] == "申请已归档"
    assert (await facts(desk)).count("filing.archived") == 1
    assert not await desk.motionless()
    (row,) = await desk.rows("select manifest from archives")
    assert filing.encode() not in row.manifest
    # Any department of the filing reads it, nobody else does.
    assert (await manifest(desk, cases["household_registration"], "police"))["digest"] == found["digest"]
    assert problem(await desk.get(f"/v1/cases/{cases[ITEM]}/archive", "police")) == (404, "ARCHIVE_NOT_FOUND")


async def test_what_rests_is_never_touched_again(desk, clock):
    filing, cases = await closed(desk)
    clock.advance(LONG)
    assert await archive(desk) == 1
    case = cases[ITEM]
    before = (await desk.filing(filing))["version"]
    assert problem(await correct(desk, case)) == (409, "FILING_ALREADY_ARCHIVED")
    assert problem(await desk.do(case, "deliver", {"mode": "window"}, "health")) == (409, "FILING_ALREADY_ARCHIVED")
    for verb, body, name in (
        ("accept", None, "health"),
        ("approve", {"result": RESULTS[ITEM]}, "health"),
        ("refuse", {"reason_code": "OTHER", "explanation": "不符合条件"}, "health"),
        ("terminate", {"ground": "PURPOSE_GONE", "explanation": "目的已不存在"}, "health"),
        ("reverify", None, "health"),
        ("withdraw", None, ""),
    ):
        assert (await desk.do(case, verb, body, name)).status_code == 409, verb
    assert (await desk.post(f"/v1/filings/{filing}:withdraw")).status_code == 409
    assert (await desk.filing(filing))["version"] == before
    assert {(await pdf(desk, each)).status_code for each in await papers(desk, filing)} == {200}


async def test_what_has_not_arrived_holds_the_archive_until_its_term_has_passed(desk, clock):
    definition = newborn_json()
    definition["archive_days"] = 5
    await desk.publish(definition)
    filing, cases = await closed(desk, delivered=False)
    clock.advance(timedelta(days=6))
    assert await archive(desk) == 0
    clock.advance(timedelta(days=15))
    assert await archive(desk) == 1
    told = (await manifest(desk, cases[ITEM]))["manifest"]
    assert [each["delivered_at"] for each in told["cases"] if each["item"] == ITEM] == [[None]]
    # Opened in the archive it is read, and nothing is recorded.
    for paper in await papers(desk, filing):
        await pdf(desk, paper)
    assert "case.delivered" not in await facts(desk)


async def test_one_open_case_keeps_the_filing_open(desk, clock):
    filing, cases = await desk.submitted()
    await desk.pass_(cases, ITEM)
    await desk.run_calls()
    clock.advance(LONG)
    assert await archive(desk) == 0
    assert (await desk.filing(filing))["state"] == "submitted"


async def test_a_licence_that_is_still_to_be_corrected_holds_the_archive(desk, others, clock):
    filing, cases = await closed(desk)
    others.library.failing = 1
    clock.advance(timedelta(days=20))
    assert (await correct(desk, cases[ITEM], RIGHT)).status_code == 200
    await desk.run_calls()
    for paper in await papers(desk, filing):
        await pdf(desk, paper)
    clock.advance(LONG)
    assert await archive(desk) == 0
    await desk.run_calls()
    assert await archive(desk) == 1
    (granted,) = [each for each in (await manifest(desk, cases[ITEM]))["manifest"]["cases"] if each["item"] == ITEM]
    assert len(granted["corrections"]) == 1


async def test_of_two_archivists_and_a_correction_at_once_each_filing_rests_once_or_is_corrected(desk, clock):
    filing, cases = await closed(desk)
    clock.advance(LONG)
    *counts, corrected = await asyncio.gather(archive(desk), archive(desk), correct(desk, cases[ITEM]))
    state = (await desk.filing(filing))["state"]
    assert (sum(counts), state, corrected.status_code) in {(1, "archived", 409), (0, "closed", 200)}
    assert (await facts(desk)).count("filing.archived") == sum(counts)


@pytest.mark.parametrize("days", [-1, 10**9, -(10**40)])
async def test_a_term_that_cannot_be_is_refused(desk, days):
    definition = newborn_json()
    definition["archive_days"] = days
    assert problem(await desk.post("/v1/matters", definition, "bureau")) == (422, "DEFINITION_INVALID")
