"""Officers send messages to departments and posts: receipts of each receiver, recalled before and after reading."""

import asyncio
from datetime import timedelta

import pytest

from .office import MOTHER, OFFICERS, VERBS
from .stream import opened

TEXT = "请各窗口今天下班前核对待办"


async def send(office, name="lead", **to):
    return await office.ask("POST", "/v1/messages", name, {"text": TEXT} | to)


async def inbox(office, name, query=""):
    return (await office.ask("GET", f"/v1/messages{query}", name)).json()["items"]


async def receipts(office, sent):
    answer = await office.ask("GET", f"/v1/messages/{sent['message_id']}/receipts", "lead")
    return {each["post_id"]: each for each in answer.json()["items"]}


def of(sent, verb):
    return f"/v1/messages/{sent['message_id']}:{verb}"


async def test_a_department_is_told_and_each_receiver_leaves_a_receipt(office, rows):
    sent = (await send(office, departments=["police"])).json()
    assert (sent["text"], sent["receivers"], sent["read"], sent["recalled_at"]) == (TEXT, 2, 0, None)
    (message,) = await inbox(office, "police")
    assert (message["kind"], message["title"], message["body"]) == ("from_colleague", "工作消息", TEXT)
    assert message["sender_title"] == "户籍科负责人"
    for name in ("lead", "zichuan", "civil", MOTHER):
        assert await inbox(office, name) == []
    await office.ask("POST", of(sent, "read"), "police")
    told = await receipts(office, sent)
    assert set(told) == {"post-police", "post-police2"}
    assert (told["post-police"]["title"], told["post-police"]["read_at"] is not None) == ("户籍窗口民警", True)
    assert (told["post-police2"]["delivered_at"], told["post-police2"]["read_at"]) == (None, None)
    (listed,) = (await office.ask("GET", "/v1/messages/sent", "lead")).json()["items"]
    assert (listed["message_id"], listed["read"]) == (sent["message_id"], 1)
    (act,) = await rows("SELECT act, post_id, subject_id FROM journal")
    assert tuple(act) == ("workbench.send_message", "post-lead", sent["message_id"])
    assert TEXT.encode() not in (await rows("SELECT body FROM messages"))[0]["body"]


async def test_posts_are_told_by_name_and_each_once(office):
    sent = await send(office, departments=["police"], post_ids=["post-police", "post-civil", "post-lead"])
    assert sent.json()["receivers"] == 3
    assert len(await inbox(office, "police")) == len(await inbox(office, "civil")) == 1


@pytest.mark.parametrize(
    ("to", "status", "reason"),
    [
        ({"departments": ["nobody"]}, 422, "RECEIVER_UNKNOWN"),
        ({"post_ids": ["post-nobody"]}, 422, "RECEIVER_UNKNOWN"),
        ({"post_ids": ["post-cdc"]}, 422, "RECEIVER_UNKNOWN"),  # receives no messages
        ({"post_ids": [MOTHER]}, 422, "RECEIVER_UNKNOWN"),  # a citizen is told by acts alone
        ({"post_ids": ["post-lead"]}, 409, "NO_RECEIVER"),
        ({}, 409, "NO_RECEIVER"),
        ({"post_ids": ["post-police"], "text": " "}, 422, "REQUEST_INVALID"),
        ({"post_ids": ["post-police"], "text": "字" * 4001}, 422, "REQUEST_INVALID"),
    ],
)
async def test_what_cannot_be_sent_reaches_nobody(office, rows, to, status, reason):
    refused = await send(office, **to)
    assert (refused.status_code, refused.json()["reason"]) == (status, reason)
    assert await rows("SELECT 1 FROM messages") == []


async def test_a_message_goes_to_a_limited_number_of_posts(office, accounts):
    for number in range(199):
        accounts.hire(f"many{number}", *VERBS, org_path=OFFICERS["police"][1], region_code="370303")
    refused = await send(office, departments=["police"])
    assert (refused.status_code, refused.json()["reason"]) == (422, "TOO_MANY_RECEIVERS")
    accounts.end("many0")
    assert (await send(office, departments=["police"])).json()["receivers"] == 200


async def test_a_post_sends_a_limited_number_a_day(office, clock):
    answers = await asyncio.gather(*(send(office, post_ids=["post-police"]) for _ in range(53)))
    assert sorted(answer.status_code for answer in answers) == [200] * 50 + [429] * 3
    clock.advance(timedelta(days=1))
    assert (await send(office, post_ids=["post-police"])).status_code == 200


async def test_the_same_message_twice_is_one(office):
    headers = {"Idempotency-Key": "one"}
    body = {"text": TEXT, "post_ids": ["post-police"]}
    first, second = [await office.ask("POST", "/v1/messages", "lead", body, **headers) for _ in range(2)]
    assert first.json() == second.json()
    assert len(await inbox(office, "police")) == 1


async def test_what_is_recalled_is_read_by_nobody_any_more(office, rows):
    sent = (await send(office, departments=["police"])).json()
    await office.ask("POST", of(sent, "read"), "police")
    recalled = await office.ask("POST", of(sent, "recall"), "lead")
    assert (recalled.status_code, recalled.json()["read"]) == (200, 1)
    assert recalled.json()["recalled_at"] is not None
    # who has read it, and who has not, sees that it was taken back, and nothing else
    for name in ("police", "police2"):
        (message,) = await inbox(office, name)
        assert (message["body"], message["recalled_at"] is not None) == ("“户籍科负责人”已撤回这条消息", True)
        read = (await office.ask("POST", of(sent, "read"), name)).json()
        assert TEXT not in str(read)
        assert (await office.ask("GET", "/v1/messages/counts", name)).json() == {"unread": 0}
        assert await inbox(office, name, "?unread=true") == []
    told = await receipts(office, sent)
    assert [told[f"post-{name}"]["read_at"] is None for name in ("police", "police2")] == [False, True]
    again = await office.ask("POST", of(sent, "recall"), "lead")
    assert again.json() == recalled.json()
    acts = [row["act"] for row in await rows("SELECT act FROM journal ORDER BY at, id")]
    assert acts == ["workbench.send_message", "workbench.recall_message"]


async def test_only_its_sender_recalls_and_sees_receipts_and_not_for_ever(office, accounts, clock):
    sent = (await send(office, departments=["police"])).json()
    accounts.end("police2")
    accounts.hire("police2", "workbench:send_message", org_path=OFFICERS["police"][1], region_code="370303")
    foreign = await office.ask("POST", of(sent, "recall"), "police2")
    assert (foreign.status_code, foreign.json()["reason"]) == (403, "MESSAGE_OF_ANOTHER")
    path = f"/v1/messages/{sent['message_id']}/receipts"
    assert (await office.ask("GET", path, "police2")).json()["reason"] == "MESSAGE_NOT_FOUND"
    clock.advance(timedelta(hours=24))
    late = await office.ask("POST", of(sent, "recall"), "lead")
    assert (late.status_code, late.json()["reason"]) == (409, "RECALL_TOO_LATE")
    assert late.json()["detail"] == "消息发出已超过 24 小时，不能撤回"
    assert (await inbox(office, "police"))[0]["body"] == TEXT


async def test_of_reading_and_recalling_at_once_one_is_first(office):
    for _ in range(5):
        sent = (await send(office, post_ids=["post-police"])).json()
        read, recalled = await asyncio.gather(
            office.ask("POST", of(sent, "read"), "police"), office.ask("POST", of(sent, "recall"), "lead")
        )
        was_read = (await receipts(office, sent))["post-police"]["read_at"] is not None
        assert (read.json()["body"] == TEXT) <= was_read
        assert (recalled.json()["read"] == 1) == was_read


async def test_open_browsers_hear_of_the_message_and_that_it_was_recalled(office):
    async with opened(office, "police") as stream:
        await stream.next("counts")
        sent = (await send(office, post_ids=["post-police"])).json()
        came = await stream.next("message")
        assert (came.data["message_id"], came.data["recalled_at"]) == (sent["message_id"], None)
        await stream.until(lambda event: event.name == "counts" and event.data["unread"] == 1)
        await office.ask("POST", of(sent, "recall"), "lead")
        gone = await stream.next("message")
        assert (gone.data["message_id"], gone.data["recalled_at"] is not None) == (sent["message_id"], True)
        await stream.until(lambda event: event.name == "counts" and event.data["unread"] == 0)
        last = came.id
    # who was away meanwhile hears of it on coming back
    async with opened(office, "police", last) as stream:
        assert (await stream.next("message")).data["recalled_at"] is not None
