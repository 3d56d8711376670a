"""The gallery: every way that a filing can stand is there to be looked at, and nothing in it is stuck."""

from datetime import UTC, datetime

import httpx
import pytest
from demo.browser import CallRefused
from demo.people import Cast, logged_in
from demo.settings import Settings

from demo import gallery, newborn


async def statuses(settings: Settings) -> set[str]:
    """Every status of a case, as the contract names them."""
    async with httpx.AsyncClient(base_url=settings.public_url, trust_env=False) as http:
        schemas = (await http.get("/openapi.json")).json()["components"]["schemas"]
    return set(schemas["orchestration.Status"]["enum"])


@pytest.mark.timeout(180)
async def test_every_status_is_there_once_and_nothing_is_stuck(people: Cast, settings: Settings) -> None:
    laid = await gallery.lay_out(settings, at=datetime.now(UTC), told=lambda *_: None)
    assert {case["status"] for _, filing in laid for case in filing["cases"]} == await statuses(settings)
    assert {filing["state"] for _, filing in laid} == {"draft", "proposed", "declined", "submitted", "closed"}
    async with logged_in(settings, "admin") as operator:
        stuck = await operator.get("orchestration/v1/operations/stuck")
    assert stuck["filings"] == []
    incidents = {filing["filing_id"] for exhibit, filing in laid if exhibit.incident}
    assert incidents <= {each["filing_id"] for each in stuck["incidents"]}

    # laid out again, everything stays
    again = await gallery.lay_out(settings, at=datetime.now(UTC), told=lambda *_: None)
    filed = [{filing["filing_id"] for exhibit, filing in each if not exhibit.proposes} for each in (laid, again)]
    assert filed[0] == filed[1]

    # whom the table names sees it: the city's commission reads its districts' lists, and no case of theirs
    filing = next(filing for exhibit, filing in laid if exhibit.code == "alone")
    birth = next(case["case_id"] for case in filing["cases"] if case["item"] == "birth_certificate")
    async with logged_in(settings, "commission") as commission:
        listed = {each["case_id"] for each in await newborn.every(commission, "orchestration/v1/cases")}
        assert birth in listed
        with pytest.raises(CallRefused) as refused:
            await commission.get(f"orchestration/v1/cases/{birth}", purpose="看看")
        assert refused.value.status == 404
    async with logged_in(settings, "maqiang") as father:
        asked = (await father.get("verification/v1/me/consent-requests"))["items"]
    assert {each["answer"] for each in asked} == {"waiting", "granted"}
