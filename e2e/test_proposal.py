"""The allowance that nobody has to apply for: a birth is registered, and its mother is asked to confirm."""

from datetime import UTC, datetime

import pytest
from demo.browser import Browser, CallRefused
from demo.people import Cast, logged_in
from demo.settings import Settings

from demo import newborn
from e2e.waiting import eventually

ALLOWANCE = "child_allowance"


async def registered(mother: Browser, people: Cast, filing: newborn.JSON, serial: int) -> newborn.JSON:
    """The officers decide until the household is registered and the filing is closed."""
    handled: set[str] = set()

    async def closed() -> newborn.JSON | None:
        now = await newborn.filing(mother, filing["filing_id"])
        if now["state"] == "closed":
            return now
        await newborn.decide_together(people.officers.values(), now, serial, handled=handled)
        return None

    return await eventually(closed, within=60)


async def proposed(mother: Browser, source_id: str) -> newborn.JSON:
    """What was proposed after a filing, as soon as it stands in the list."""

    async def look() -> newborn.JSON | None:
        for line in await newborn.every(mother, "orchestration/v1/filings"):
            if line["matter_code"] == ALLOWANCE and line["state"] == "proposed":
                told: newborn.JSON = await mother.get(f"orchestration/v1/filings/{line['filing_id']}/proposal")
                if told["source_filing_id"] == source_id:
                    return told
        return None

    return await eventually(look, within=20)


async def message(mother: Browser, filing_id: str) -> newborn.JSON:
    async def look() -> newborn.JSON | None:
        messages = await newborn.every(mother, "workbench/v1/messages")
        return next((each for each in messages if each["source_id"] == filing_id), None)

    return await eventually(look, within=20)


@pytest.mark.usefixtures("consent")
async def test_a_mother_finds_the_allowance_filled_in_and_confirms(people: Cast) -> None:
    mother, health = people.mother, people.officers["health"]
    draft = await newborn.draft(mother, 41)
    plan = await newborn.plan(mother, draft["filing_id"])
    source = await newborn.submit(mother, draft["filing_id"], plan["plan_digest"])
    source = await registered(mother, people, source, 41)

    # she is told, and reads what was filled in from where
    told = await proposed(mother, source["filing_id"])
    filing_id = told["filing_id"]
    said = await message(mother, filing_id)
    assert (said["title"], "育儿补贴" in said["body"]) == ("请确认可享受的事项", True)
    fields = {each["field"]: each for each in told["fields"]}
    assert fields["child_id_number"]["sources"] == ["新生儿公民身份号码"]
    filing = await newborn.filing(mother, filing_id)
    assert filing["form"]["child_name"] == "张安"
    assert filing["form"]["birth_date"] == "2026-11-18"

    # until she confirms no department has it
    assert filing_id not in {each["filing_id"] for each in await newborn.every(health, "orchestration/v1/cases")}

    # the certificate that the first matter gave stands for paper; one act, and it is submitted
    plan = await newborn.plan(mother, filing_id)
    assert [material["code"] for material in plan["materials"] if material["status"] == "needed"] == []
    await mother.post(f"orchestration/v1/filings/{filing_id}:confirm", {"plan_digest": plan["plan_digest"]})
    (case,) = (await newborn.filing(mother, filing_id))["cases"]
    await health.post(f"orchestration/v1/cases/{case['case_id']}:accept", {})
    await health.post(f"orchestration/v1/cases/{case['case_id']}:approve", {"result": {"annual_amount": 3600}})
    filing = await newborn.filing(mother, filing_id)
    assert (filing["state"], filing["cases"][0]["result"]) == ("closed", {"annual_amount": 3600})


async def test_another_declines_and_is_not_asked_again(people: Cast, settings: Settings) -> None:
    async with logged_in(settings, "yangxue") as mother, logged_in(settings, "maqiang") as father:
        form = newborn.form(42, "yangxue", "maqiang")
        draft = await newborn.begin(mother, form)
        await newborn.ask(mother, form["father_id"], draft["filing_id"])
        await newborn.agree(father, draft["filing_id"], at=datetime.now(UTC))
        plan = await newborn.plan(mother, draft["filing_id"])
        source = await newborn.submit(mother, draft["filing_id"], plan["plan_digest"])
        source = await registered(mother, people, source, 42)
        filing_id = (await proposed(mother, source["filing_id"]))["filing_id"]
        # somebody else's proposal is nobody else's business
        with pytest.raises(CallRefused) as refused:
            await people.mother.get(f"orchestration/v1/filings/{filing_id}/proposal")
        assert refused.value.status == 404
        declined = await mother.post(f"orchestration/v1/filings/{filing_id}:decline", {})
        assert (declined["state"], declined["form"]) == ("declined", {})
        with pytest.raises(CallRefused) as refused:
            await mother.post(f"orchestration/v1/filings/{filing_id}:confirm", {"plan_digest": "0" * 64})
        assert (refused.value.status, refused.value.reason) == (409, "PROPOSAL_ENDED")
        causes = [
            (await mother.get(f"orchestration/v1/filings/{line['filing_id']}/proposal"))["source_filing_id"]
            for line in await newborn.every(mother, "orchestration/v1/filings")
            if (line["matter_code"], line["state"]) == (ALLOWANCE, "proposed")
        ]
        assert source["filing_id"] not in causes


async def test_open_proposals_leave_nothing_stuck(settings: Settings) -> None:
    async with logged_in(settings, "admin") as administrator:
        assert (await administrator.get("orchestration/v1/operations/stuck"))["filings"] == []
