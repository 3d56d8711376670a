"""Filing for a legal person (经办): its representative and its agents do, in the matters given, and nobody else."""

from pathlib import Path

import pytest
import yaml
from tongban.orchestration.v1 import case_events_pb2 as case_pb
from tongban.orchestration.v1 import filing_events_pb2 as filing_pb

from .makers import FATHER, MOTHER

COMPANY = "00000000-0000-7000-8000-000000000601"
RIVAL = "00000000-0000-7000-8000-000000000602"
MATTER = Path(__file__).with_name("shop.yaml")
# each with the companies that the person acts for, and in which matters
REPRESENTATIVE, AGENT, OTHER_AGENT, STRANGER = (
    MOTHER,
    FATHER,
    *(f"00000000-0000-7000-8000-00000000020{n}" for n in "34"),
)


def reason(answer):
    return answer.status_code, answer.json()["reason"]


@pytest.fixture
async def company(desk, others):
    await desk.publish(yaml.safe_load(MATTER.read_text("utf-8")))
    others.departments.agencies |= {
        (REPRESENTATIVE, COMPANY): None,
        (AGENT, COMPANY): {"open_shop"},
        (OTHER_AGENT, RIVAL): {"open_shop"},
    }
    return Company(desk)


class Company:
    """Acts at the doors for a company, or not."""

    def __init__(self, desk):
        self.desk = desk

    async def ask(self, method, path, body=None, *, by=AGENT, for_=COMPANY, who=""):
        client = await self.desk.as_(who, person=by)
        return await client.request(method, path, json=body, headers={"X-On-Behalf": for_} if for_ else {})

    async def draft(self, *, matter="open_shop", **how):
        body = {"matter_code": matter, "region_code": "370303", "form": {"shop_name": "静心茶食"}, "determinants": {}}
        return await self.ask("POST", "/v1/filings", body, **how)

    async def submit(self, filing, **how):
        plan = (await self.ask("GET", f"/v1/filings/{filing}/plan", **how)).json()
        digest = plan.get("plan_digest", "0" * 64)
        return await self.ask("POST", f"/v1/filings/{filing}:submit", {"plan_digest": digest}, **how)

    async def submitted(self):
        filing = (await self.draft()).json()["filing_id"]
        answer = await self.submit(filing)
        assert answer.status_code == 200, answer.text
        return filing, answer.json()["cases"][0]["case_id"]


async def test_an_agent_files_and_the_company_gets_the_licence(company, others):
    drafted = (await company.draft()).json()
    assert (drafted["on_behalf_of"], drafted["agent_id"]) == (COMPANY, AGENT)
    filing = drafted["filing_id"]
    submitted = (await company.submit(filing)).json()
    # the company's licence is the evidence, asked for in its name with the agent's own token
    assert set(others.library.queries) == {("business_licence", COMPANY)}
    assert {(person, legal) for person, legal in others.library.asked_for} == {(AGENT, COMPANY)}
    case = submitted["cases"][0]["case_id"]
    desk = company.desk
    assert (await desk.do(case, "accept", None, "health")).status_code == 200
    assert (await desk.do(case, "approve", {"result": {}}, "health")).status_code == 200
    await desk.run_calls()
    (issued,) = others.library.issued.values()
    assert list(issued.holder_ids) == [COMPANY]
    done = (await company.ask("GET", f"/v1/filings/{filing}")).json()
    assert (done["state"], done["cases"][0]["status"]) == ("closed", "certificate_made")
    acts = await desk.rows("select act, actor_id, owner_id from journal where subject_id = :id", id=filing)
    assert {(each.actor_id, each.owner_id) for each in acts} == {(AGENT, COMPANY)}
    assert {each.act for each in acts} >= {"orchestration.draft_filing", "orchestration.submit_filing"}


async def test_what_is_opened_for_the_company_has_reached_it_and_everybody_who_acts_hears_of_it(company):
    filing, case = await company.submitted()
    assert (await company.desk.do(case, "accept", None, "health")).status_code == 200
    assert (await company.desk.do(case, "approve", {"result": {}}, "health")).status_code == 200

    async def decision(**how):
        listed = (await company.ask("GET", f"/v1/filings/{filing}/documents", **how)).json()
        (paper,) = [each for each in listed if each["kind"] == "approval"]
        return paper

    paper = await decision()
    page = f"/v1/documents/{paper['document_id']}.pdf"
    for by, for_ in ((REPRESENTATIVE, None), (OTHER_AGENT, RIVAL), (OTHER_AGENT, COMPANY)):
        assert (await company.ask("GET", page, by=by, for_=for_)).status_code in {403, 404}
    assert paper["delivery"]["mode"] is None
    assert (await company.ask("GET", page, by=REPRESENTATIVE)).status_code == 200
    assert (await decision())["delivery"]["mode"] == "online"
    opened = await company.desk.rows("select actor_id, owner_id from journal where act = 'orchestration.open_document'")
    assert [tuple(each) for each in opened] == [(REPRESENTATIVE, COMPANY)]
    # what is told of it names the company and the matter, so that all hear of it who act in it
    for kind in (filing_pb.FilingSubmitted, case_pb.CaseDecided, case_pb.CaseDelivered):
        (fact,) = await facts_of(company.desk, kind)
        assert (fact.applicant_id, fact.legal_person_id, fact.matter_code) == (AGENT, COMPANY, "open_shop")


async def facts_of(desk, kind):
    rows = await desk.rows("select body from outbox where type = :name", name=kind.DESCRIPTOR.full_name)
    return [kind.FromString(row.body) for row in rows]


async def test_the_representative_and_the_agents_of_the_matter_see_it_and_nobody_else(company, others):
    filing, case = await company.submitted()
    for path in (f"/v1/filings/{filing}", f"/v1/filings/{filing}/timeline", f"/v1/filings/{filing}/documents"):
        assert (await company.ask("GET", path, by=REPRESENTATIVE)).status_code == 200
        # for themselves they have no such filing
        for person in (REPRESENTATIVE, AGENT):
            assert reason(await company.ask("GET", path, by=person, for_=None)) == (404, "FILING_NOT_FOUND")
        # another company's agent: neither for the own company, nor for this one, nor for himself
        for for_, said in (
            (RIVAL, (404, "FILING_NOT_FOUND")),
            (COMPANY, (403, "AGENT_NOT_ENTITLED")),
            (None, (404, "FILING_NOT_FOUND")),
        ):
            assert reason(await company.ask("GET", path, by=OTHER_AGENT, for_=for_)) == said
    others.departments.agencies[STRANGER, COMPANY] = {"another_matter"}
    assert reason(await company.ask("GET", f"/v1/filings/{filing}", by=STRANGER)) == (404, "FILING_NOT_FOUND")
    for person, seen in ((REPRESENTATIVE, 1), (AGENT, 1), (STRANGER, 0)):
        assert len((await company.ask("GET", "/v1/filings", by=person)).json()["items"]) == seen
    assert (await company.ask("GET", "/v1/filings", by=AGENT, for_=None)).json()["items"] == []
    taken = f"/v1/cases/{case}:withdraw"
    assert reason(await company.ask("POST", taken, by=OTHER_AGENT, for_=RIVAL)) == (404, "CASE_NOT_FOUND")
    assert (await company.ask("POST", taken, by=REPRESENTATIVE)).status_code == 200


async def test_an_agency_withdrawn_midway_refuses_the_next_act_and_leaves_the_filing(company, others):
    filing = (await company.draft()).json()["filing_id"]
    plan = (await company.ask("GET", f"/v1/filings/{filing}/plan")).json()
    del others.departments.agencies[AGENT, COMPANY]
    handing_in = {"plan_digest": plan["plan_digest"]}
    refused = await company.ask("POST", f"/v1/filings/{filing}:submit", handing_in)
    assert reason(refused) == (403, "AGENT_NOT_ENTITLED")
    assert reason(await company.draft()) == (403, "AGENT_NOT_ENTITLED")
    # it stays the company's: another who acts for it goes on, and is who acts from then on
    done = (await company.ask("POST", f"/v1/filings/{filing}:submit", handing_in, by=REPRESENTATIVE)).json()
    assert (done["state"], done["on_behalf_of"], done["agent_id"]) == ("submitted", COMPANY, REPRESENTATIVE)


async def test_whose_matter_it_is(company, others):
    assert reason(await company.draft(for_=None)) == (403, "AGENT_ONLY")
    others.departments.agencies[STRANGER, COMPANY] = {"another_matter"}
    assert reason(await company.draft(by=STRANGER)) == (403, "MATTER_NOT_GIVEN")
    assert reason(await company.draft(for_="the company")) == (422, "REQUEST_INVALID")
    assert reason(await company.draft(matter="newborn", by=REPRESENTATIVE)) == (403, "MATTER_OF_PERSONS")
    assert await company.desk.rows("select 1 from filings") == []
    # an officer acts in a post, for nobody
    officer = await company.ask("GET", "/v1/documents/00000000-0000-7000-8000-000000000999.pdf", who="health")
    assert reason(officer) == (403, "CALLER_NOT_ALLOWED")


async def test_a_weak_proof_stops_an_agent_too(company, others):
    others.departments.proof_level = 2
    filing = (await company.draft()).json()["filing_id"]
    assert reason(await company.submit(filing)) == (403, "PROOF_TOO_WEAK")
