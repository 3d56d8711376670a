"""A company opens a restaurant: its representative appoints an agent for the matter, who files until let go."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from demo.browser import Browser, CallRefused
from demo.people import Cast, Sessions
from demo.settings import Settings

from demo import arrangements, city, newborn
from e2e.waiting import eventually

MATTER = "open_restaurant"
COMPANY, RIVAL = (company["legal_person_id"] for company in city.legal_persons())
FORM = {
    "shop_name": "静心茶食张店一店",
    "shop_address": "淄博市张店区柳泉路示范路9号",
    "principal_business": "restaurant",
    "contact_phone": "19900000007",
}


@pytest.fixture
async def sessions(people: Cast, settings: Settings) -> AsyncIterator[Sessions]:
    async with Sessions(settings) as own:
        await arrangements.arrange(settings, own, at=datetime.now(UTC))
    async with Sessions(settings) as opened:
        yield opened


async def ask(person: Browser, path: str, *, for_: str = COMPANY) -> newborn.JSON:
    answer: newborn.JSON = await person.get(path, headers={"X-On-Behalf": for_})
    return answer


async def tell(person: Browser, path: str, body: newborn.JSON, *, for_: str = COMPANY) -> newborn.JSON:
    answer: newborn.JSON = await person.post(path, body, headers={"X-On-Behalf": for_})
    return answer


async def refused(person: Browser, path: str, *, for_: str | None) -> tuple[int, str]:
    """Why somebody is not shown it."""
    with pytest.raises(CallRefused) as said:
        await (ask(person, path, for_=for_) if for_ else person.get(path))
    return said.value.status, said.value.reason


async def hired(representative: Browser, settings: Settings) -> str:
    """The representative gives an agent one matter, after proving again who he is."""
    agent = {"agent_id": city.citizen("chenchen")["person_id"], "matters": [MATTER]}
    until = (datetime.now(UTC) + timedelta(days=30)).isoformat()
    await arrangements.prove_more(representative, settings, "zhangwei")
    path = f"accounts/v1/legal-persons/{COMPANY}/agents"
    agency_id: str = (await representative.post(path, agent | {"valid_until": until}))["agency_id"]
    return f"{path}/{agency_id}:revoke"


async def filed(agent: Browser) -> newborn.JSON:
    """One form; the business licence is found, so that nothing is handed in on paper."""
    body = {"matter_code": MATTER, "region_code": newborn.REGION, "form": FORM, "determinants": {}}
    draft = await tell(agent, "orchestration/v1/filings", body)
    path = f"orchestration/v1/filings/{draft['filing_id']}"
    plan = await ask(agent, f"{path}/plan")
    assert {material["code"]: material["status"] for material in plan["materials"]} == {"business_licence": "waived"}
    return await tell(agent, f"{path}:submit", {"plan_digest": plan["plan_digest"]})


async def decided(officer: Browser, case_id: str) -> None:
    await officer.post(f"orchestration/v1/cases/{case_id}:accept", {})
    await officer.post(f"orchestration/v1/cases/{case_id}:approve", {"result": {"permit_no": "JY23703030000017"}})


async def test_an_agent_files_for_a_company_until_the_agency_is_withdrawn(
    people: Cast, sessions: Sessions, settings: Settings
) -> None:
    representative, agent = people.father, await sessions.of("chenchen")
    with pytest.raises(CallRefused) as said:
        await filed(agent)
    assert said.value.reason == "AGENT_NOT_ENTITLED"
    withdrawal = await hired(representative, settings)
    filing = await filed(agent)
    path = f"orchestration/v1/filings/{filing['filing_id']}"
    assert (filing["on_behalf_of"], filing["agent_id"]) == (COMPANY, city.citizen("chenchen")["person_id"])

    # neither the agent as himself, nor another company's representative, finds it
    rival = await sessions.of("maqiang")
    assert await refused(agent, path, for_=None) == (404, "FILING_NOT_FOUND")
    assert await refused(rival, path, for_=RIVAL) == (404, "FILING_NOT_FOUND")
    assert await refused(rival, path, for_=COMPANY) == (403, "AGENT_NOT_ENTITLED")
    assert await refused(agent, path, for_=RIVAL) == (403, "AGENT_NOT_ENTITLED")

    # the department decides, and the licence is the company's
    (case,) = filing["cases"]
    await decided(await sessions.of("market"), case["case_id"])

    async def closed() -> newborn.JSON | None:
        now = await ask(representative, path)
        return now if now["state"] == "closed" else None

    done = await eventually(closed, within=20)
    assert done["cases"][0]["status"] == "certificate_made"
    await hears(agent, representative, rival, case["case_id"])

    # the representative reads the decision, with which it has reached the company
    documents = f"{path}/documents"
    (paper,) = [each for each in await ask(representative, documents) if each["kind"] == "approval"]
    page = await representative.call(
        "GET", f"orchestration/v1/documents/{paper['document_id']}.pdf", headers={"X-On-Behalf": COMPANY}
    )
    assert (page.status_code, page.content[:4]) == (200, b"%PDF")
    (paper,) = [each for each in await ask(agent, documents) if each["kind"] == "approval"]
    assert paper["delivery"]["mode"] == "online"

    # the agency is withdrawn: from the next call on the agent is nobody here, and the filing stays the company's
    await representative.post(withdrawal, {})
    for seen in (path, "orchestration/v1/filings", "workbench/v1/messages"):
        assert await refused(agent, seen, for_=COMPANY) == (403, "AGENT_NOT_ENTITLED")
    assert (await ask(representative, path))["state"] == "closed"


async def hears(agent: Browser, representative: Browser, rival: Browser, case_id: str) -> None:
    """Whoever acts for the company hears of the decision: the agent as himself too, another company's people never."""

    async def decision(person: Browser, for_: str | None) -> newborn.JSON | None:
        headers = {"X-On-Behalf": for_} if for_ else {}
        page = await person.get("workbench/v1/messages", headers=headers, params={"page_size": 100})
        return next((each for each in page["items"] if each["source_id"] == case_id), None)

    for person, for_ in ((agent, None), (agent, COMPANY), (representative, COMPANY)):
        told = await eventually(lambda person=person, for_=for_: decision(person, for_), within=20)
        assert told["kind"] == "case_approved"
    assert await decision(representative, None) is None
    assert await decision(rival, RIVAL) is None
