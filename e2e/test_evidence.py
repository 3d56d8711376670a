"""Evidence that lives, as its people would tell it: the father is asked, his card renewed, the officer looks again."""

from datetime import UTC, datetime, timedelta

import pytest
from demo.browser import Browser, CallRefused
from demo.people import Cast, logged_in
from demo.settings import Settings

from demo import city, newborn
from e2e.waiting import eventually

ITEM = "birth_certificate"


async def alone(father: Browser) -> None:
    """Every consent that the father gave before is withdrawn."""
    for each in (await father.get("verification/v1/me/consents", params={"page_size": 100}))["items"]:
        if each["withdrawn_at"] is None:
            await father.post(f"verification/v1/consents/{each['consent_id']}:withdraw", {})


async def asked_and_granted(people: Cast, filing_id: str) -> None:
    """The mother asks for the father's card; he finds the request and says yes, for this filing."""
    asked = {
        "holder_id": city.citizen("zhangwei")["person_id"],
        "licence_types": [newborn.ID_CARD],
        "matter_code": newborn.MATTER,
        "filing_id": filing_id,
        "purpose": newborn.PURPOSE,
    }
    await people.mother.post("verification/v1/consent-requests", asked)
    waiting = (await people.father.get("verification/v1/me/consent-requests"))["items"]
    mine = next(each for each in waiting if each["filing_id"] == filing_id)
    assert (mine["answer"], mine["purpose"]) == ("waiting", newborn.PURPOSE)
    until = {"valid_until": (datetime.now(UTC) + timedelta(days=90)).isoformat()}
    await people.father.post(f"verification/v1/consent-requests/{mine['consent_request_id']}:grant", until)


async def test_the_father_is_asked_and_his_renewed_card_is_looked_at_again(people: Cast, settings: Settings) -> None:
    await alone(people.father)
    filing_id = (await newborn.draft(people.mother, 77))["filing_id"]
    plan = await newborn.plan(people.mother, filing_id)
    assert [each["code"] for each in plan["materials"] if each["status"] == "needed"] == ["father_id_card"]
    await asked_and_granted(people, filing_id)
    plan = await newborn.plan(people.mother, filing_id)
    assert plan["complete"]
    await newborn.submit(people.mother, filing_id, plan["plan_digest"])
    cases = {each["item"]: each for each in (await newborn.filing(people.mother, filing_id))["cases"]}
    path = f"orchestration/v1/cases/{cases[ITEM]['case_id']}"
    health = people.officers["health"]
    await health.post(f"{path}:accept", {})

    # the police renew the father's card before the decision
    held = await newborn.every(people.father, "verification/v1/me/licences")
    card = next(each for each in held if each["licence_type"] == newborn.ID_CARD)
    renewing = {"version": card["version"]}
    await people.officers["police"].post(f"verification/v1/licences/{card['licence_id']}:renew", renewing)

    async def alarmed() -> list[str]:
        case = await health.get(path, purpose=newborn.PURPOSE)
        return [each["change"] for each in case["alarms"]]

    assert await eventually(alarmed) == ["renewed"]
    approval = {"result": newborn.result(ITEM, 77)}
    with pytest.raises(CallRefused) as refused:
        await health.post(f"{path}:approve", approval)
    assert refused.value.reason == "EVIDENCE_CHANGED"
    assert (await health.post(f"{path}:reverify", {}))["alarms"] == []
    await health.post(f"{path}:approve", approval)
    looked = (await people.father.get("verification/v1/me/verifications"))["items"]
    assert "legal_duty" in {each["basis"] for each in looked if each["filing_id"] == filing_id}

    # the receipt and the decision are there in writing, and whoever holds them can check them
    issued = await people.mother.get(f"orchestration/v1/filings/{filing_id}/documents")
    papers = [each for each in issued if each["case_id"] == cases[ITEM]["case_id"]]
    assert [each["title"] for each in papers] == ["受理通知书", "准予决定书"]
    page = await people.mother.call("GET", f"orchestration/v1/documents/{papers[1]['document_id']}.pdf")
    assert page.content.startswith(b"%PDF-")
    async with logged_in(settings, "wangfang") as stranger:
        named = {"no": papers[1]["no"], "code": papers[1]["code"]}
        genuine = await stranger.post("orchestration/v1/documents:check", named)
        assert genuine["title"] == "准予决定书"
