"""Messages: told once however often a source tells, listed, read, counted."""

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from tongban.orchestration.v1 import case_events_pb2 as pb
from tongban.orchestration.v1 import filing_events_pb2 as filing_pb
from uuid_utils.compat import uuid7

from .office import MOTHER, STRANGER, closed, decided, ready, submitted


async def messages(office, name=MOTHER, query=""):
    answer = await office.ask("GET", f"/v1/messages{query}", name)
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


async def unread(office, name=MOTHER):
    return (await office.ask("GET", "/v1/messages/counts", name)).json()["unread"]


async def test_the_applicant_is_told_what_becomes_of_the_filing(office, rows):
    filing, case = submitted(), ready()
    about = {"applicant_id": MOTHER, "item_name": "出生登记(户口)", "case_no": case.case_no}
    refused = decided(str(uuid7()), outcome=pb.OUTCOME_REFUSED, **about)
    for fact in (filing, case, decided(case.case_id, **about), refused, closed(filing.filing_id)):
        await office.orchestration.tell(fact)
    told = await messages(office)
    assert sorted((message["kind"], message["title"]) for message in told) == [
        ("case_approved", "事项已准予"),
        ("case_refused", "事项不予批准"),
        ("filing_closed", "申请已办结"),
        ("filing_submitted", "申请已提交"),
    ]
    (first,) = [message for message in told if message["kind"] == "filing_submitted"]
    assert first["body"] == "您的申请（编号 370303202611230001）已提交，共 7 个事项，各部门将依次办理。"
    assert (first["source"], first["source_id"]) == ("orchestration", filing.filing_id)
    assert await messages(office, STRANGER) == []
    assert {row["seq"] for row in await rows("SELECT seq FROM deliveries")} == {1, 2, 3, 4}
    assert all("编号".encode() not in row["body"] for row in await rows("SELECT body FROM messages"))


async def test_the_same_news_in_another_fact_is_told_once(office):
    filing = submitted()
    await office.orchestration.tell(filing, filing, closed(filing.filing_id), closed(filing.filing_id))
    assert sorted(message["kind"] for message in await messages(office)) == ["filing_closed", "filing_submitted"]


async def test_a_person_is_asked_to_confirm_what_was_proposed(office):
    due_at = Timestamp()
    due_at.FromJsonString("2026-12-18T09:30:00Z")
    filing = filing_pb.FilingProposed(
        filing_id=str(uuid7()), matter_name="育儿补贴", applicant_id=MOTHER, due_at=due_at
    )
    await office.orchestration.tell(filing)
    (told,) = await messages(office)
    assert (told["kind"], told["title"], told["source_id"]) == (
        "filing_proposed",
        "请确认可享受的事项",
        filing.filing_id,
    )
    assert told["body"] == ("您可以享受“育儿补贴”，申请表已为您预先填好，请在 2026-12-18 前确认；不需要的可以谢绝。")
    assert await messages(office, STRANGER) == []


async def test_a_fact_without_an_applicant_tells_nobody(office, rows):
    await office.orchestration.tell(submitted(applicant_id=""), decided(str(uuid7())))
    assert await rows("SELECT 1 FROM messages") == []
    assert await rows("SELECT 1 FROM dead_letters") == []


async def test_reading_leaves_a_receipt_once(office, clock):
    await office.orchestration.tell(submitted(), submitted())
    assert await unread(office) == 2
    first, _ = await messages(office)
    assert (first["delivered_at"] is not None, first["read_at"]) == (True, None)
    path = f"/v1/messages/{first['message_id']}:read"
    read = (await office.ask("POST", path, MOTHER)).json()
    assert read["read_at"] is not None
    clock.set(clock.at.replace(hour=12))
    assert (await office.ask("POST", path, MOTHER)).json()["read_at"] == read["read_at"]
    assert await unread(office) == 1
    assert len(await messages(office, query="?unread=true")) == 1
    foreign = await office.ask("POST", path, STRANGER)
    assert (foreign.status_code, foreign.json()["reason"]) == (404, "MESSAGE_NOT_FOUND")


async def test_messages_come_page_by_page(office):
    await office.orchestration.tell(*(submitted() for _ in range(5)))
    seen, cursor = [], ""
    while cursor is not None:
        page = (await office.ask("GET", f"/v1/messages?page_size=2{cursor}", MOTHER)).json()
        seen += [message["source_id"] for message in page["items"]]
        cursor = f"&cursor={page['next_cursor']}" if page["next_cursor"] else None
    assert len(seen) == len(set(seen)) == 5


@pytest.mark.parametrize("query", ["cursor=nonsense", "page_size=0", "unread=perhaps"])
async def test_a_list_that_cannot_be_given(office, query):
    assert (await office.ask("GET", f"/v1/messages?{query}", MOTHER)).status_code == 422


def test_no_title_says_anything_about_anybody(office_sentences):
    titles = [text for name, text in office_sentences.items() if name.endswith("_TITLE")]
    assert titles
    assert not [title for title in titles if "{" in title]
