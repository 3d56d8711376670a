"""Messages of a legal person (经办): whoever acts for it reads them under X-On-Behalf, in the matters given."""

import pytest
from uuid_utils.compat import uuid7

from .office import (
    MOTHER,
    STRANGER,
    closed,
    corrected,
    decided,
    declined,
    delivered,
    submitted,
    supplement_requested,
    terminated,
)

COMPANY = "00000000-0000-7000-8000-000000000601"
RIVAL = "00000000-0000-7000-8000-000000000602"
SHOPS, LABELS = "open_shop", "print_labels"
AGENT, REPRESENTATIVE, CLERK, RIVALS = (MOTHER, *(f"00000000-0000-7000-8000-00000000021{n}" for n in "123"))
ABOUT = {
    "applicant_id": AGENT,
    "legal_person_id": COMPANY,
    "matter_code": SHOPS,
    "item_name": "食品经营许可",
    "case_no": "370303-1",
}


@pytest.fixture
async def company(office, accounts):
    """A company with its representative, an agent for shops and another for labels; and its rival's agent."""
    accounts.agencies |= {
        (REPRESENTATIVE, COMPANY): None,
        (AGENT, COMPANY): {SHOPS},
        (CLERK, COMPANY): {LABELS},
        (RIVALS, RIVAL): {SHOPS},
    }
    return office


async def asked(office, path, by, for_=COMPANY, method="GET"):
    return await office.ask(method, path, by, **({"X-On-Behalf": for_} if for_ else {}))


async def told(office, by, for_=COMPANY):
    answer = await asked(office, "/v1/messages", by, for_)
    assert answer.status_code == 200, answer.text
    return sorted(message["kind"] for message in answer.json()["items"])


@pytest.mark.parametrize(
    "fact", [decided, declined, terminated, delivered, corrected, supplement_requested, submitted, closed]
)
async def test_whoever_acts_for_the_company_in_the_matter_hears_of_it_and_nobody_else(company, fact):
    about = ABOUT
    if fact in (submitted, closed):
        about = {name: ABOUT[name] for name in ("applicant_id", "legal_person_id", "matter_code")}
    happened = fact(str(uuid7()), **about)
    await company.orchestration.tell(happened, happened)
    # the agent who filed is also told in his or her own mailbox
    heard = await told(company, AGENT, for_=None)
    assert len(heard) == 1
    assert await told(company, AGENT) == await told(company, REPRESENTATIVE) == heard
    assert await told(company, CLERK) == await told(company, REPRESENTATIVE, for_=None) == []
    assert await told(company, RIVALS, for_=RIVAL) == await told(company, RIVALS, for_=None) == []
    for by, for_ in ((RIVALS, COMPANY), (STRANGER, COMPANY), (AGENT, RIVAL)):
        refused = await asked(company, "/v1/messages", by, for_)
        assert (refused.status_code, refused.json()["reason"]) == (403, "AGENT_NOT_ENTITLED")


async def test_each_reader_leaves_receipts_of_his_or_her_own(company):
    await company.orchestration.tell(decided(str(uuid7()), **ABOUT))
    (message,) = (await asked(company, "/v1/messages", REPRESENTATIVE)).json()["items"]
    path = f"/v1/messages/{message['message_id']}:read"
    first = (await asked(company, path, REPRESENTATIVE, method="POST")).json()
    again = (await asked(company, path, REPRESENTATIVE, method="POST")).json()
    assert first["read_at"] == again["read_at"] is not None
    counts = "/v1/messages/counts"
    assert (await asked(company, counts, REPRESENTATIVE)).json() == {"unread": 0}
    assert (await asked(company, counts, AGENT)).json() == {"unread": 1}
    # what the agent reads for the company is read in the own mailbox too: it is one message
    await asked(company, path, AGENT, method="POST")
    assert (await asked(company, counts, AGENT, for_=None)).json() == {"unread": 0}
    for by, for_, status in (
        (CLERK, COMPANY, 404),
        (REPRESENTATIVE, None, 404),
        (RIVALS, RIVAL, 404),
        (RIVALS, COMPANY, 403),
    ):
        assert (await asked(company, path, by, for_, method="POST")).status_code == status


async def test_a_withdrawn_agency_is_refused_at_the_next_call(company, accounts):
    await company.orchestration.tell(decided(str(uuid7()), **ABOUT))
    assert await told(company, AGENT) == ["case_approved"]
    del accounts.agencies[AGENT, COMPANY]
    assert (await asked(company, "/v1/messages", AGENT)).json()["reason"] == "AGENT_NOT_ENTITLED"
    assert await told(company, REPRESENTATIVE) == ["case_approved"]


async def test_only_citizens_act_for_a_legal_person_and_only_for_one(company):
    officer = await asked(company, "/v1/messages", "police")
    assert (officer.status_code, officer.json()["reason"]) == (403, "CALLER_NOT_ALLOWED")
    for wrong in ("the company", f"{COMPANY},{RIVAL}", COMPANY.upper().replace("0", "G")):
        assert (await asked(company, "/v1/messages", REPRESENTATIVE, wrong)).status_code == 422
