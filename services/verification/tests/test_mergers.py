"""Two records become one person at accounts: what the duplicate held here follows, and what was recorded stays."""

import asyncio

import pytest
from common import outbox
from common.bus import Letter
from tongban.accounts.v1 import account_events_pb2 as pb
from uuid_utils.compat import uuid7

from .town import FATHER, ID_CARD, MARRIAGE, MARRIAGE_TYPE, MOTHER, STRANGER, said

TWICE = "00000000-0000-7000-8000-000000000299"
THRICE = "00000000-0000-7000-8000-000000000298"
MINE = ("mother", ID_CARD, MOTHER)


@pytest.fixture
async def merge(town, bus):
    """Tell the house of mergers, each delivered twice, as the bus may do."""

    async def told(*pairs):
        for merged, surviving in pairs:
            fact = pb.PersonsMerged(merged_id=merged, surviving_id=surviving)
            letter = str(uuid7())
            headers = {
                "ce-id": letter,
                "ce-type": fact.DESCRIPTOR.full_name,
                "ce-source": "/accounts",
                "ce-time": town.clock().isoformat(),
            }
            for delivery in ("first", "second"):
                own = headers | {"Nats-Msg-Id": f"{letter}-{delivery}"}
                assert await bus.publish_batch([Letter(uuid7(), outbox.subject(fact), own, outbox.body(fact))])
        async with asyncio.timeout(20):
            while True:
                info = await bus.consumer("EVT_ACCOUNTS", "verification-follow_merger")
                if not info.num_pending and not info.num_ack_pending:
                    return
                await asyncio.sleep(0.02)

    return told


async def test_licences_and_consents_follow(town, merge, rows):
    await town.publish()
    card = await town.issue(TWICE)
    await town.issue(FATHER)
    await town.grant(grantee=TWICE)
    his = ("father", ID_CARD, FATHER)
    assert said(await town.find(MINE, his)) == ["missing no_licence", "consent_needed no_consent"]
    filing = town.living.ids()
    recorded = await town.verify(filing, ("mother", ID_CARD, TWICE), caller=TWICE)
    await merge((TWICE, MOTHER))
    mine, _ = await town.find(MINE, his)
    assert mine.licence_id == card["licence_id"]
    assert said(await town.find(MINE, his)) == ["verified in_force", "verified in_force"]
    # a form that still holds the old id asks about the same person
    assert said(await town.find(("mother", ID_CARD, TWICE))) == ["verified in_force"]
    # the record says what it said, and its person reads it
    (kept,) = await rows("SELECT holder_id, evidence_id FROM evidence")
    assert (str(kept["holder_id"]), str(kept["evidence_id"])) == (TWICE, recorded[0].evidence_id)
    listed = (await town.ask("GET", "/v1/me/verifications", town.citizen(MOTHER))).json()["items"]
    assert [each["evidence_id"] for each in listed] == [recorded[0].evidence_id]
    (act,) = await rows("SELECT subject_id, owner_id FROM journal WHERE act = 'verification.follow_merger'")
    assert (act["subject_id"], act["owner_id"]) == (TWICE, MOTHER)


async def test_what_both_held_is_held_once(town, merge, rows):
    await town.publish(MARRIAGE_TYPE)
    await town.issue(TWICE, MOTHER, licence_type=MARRIAGE, face={"certificate_no": "J370303-2024-000123"})
    await merge((TWICE, MOTHER))
    assert [str(row["person_id"]) for row in await rows("SELECT person_id FROM licence_holders")] == [MOTHER]


async def test_a_licence_that_is_late_goes_to_the_survivor(town, merge):
    await town.publish()
    await merge((TWICE, MOTHER))
    request = str(town.living.ids())
    issued = [await town.issue(TWICE, request_id=request) for _ in range(2)]
    assert len({each["licence_id"] for each in issued}) == 1
    assert said(await town.find(MINE)) == ["verified in_force"]


@pytest.mark.parametrize("turned", [False, True])
async def test_mergers_in_any_order_end_with_the_last_survivor(town, merge, rows, turned):
    pairs = [(THRICE, TWICE), (TWICE, MOTHER)]
    await town.publish()
    await town.issue(THRICE)
    await merge(*(pairs[::-1] if turned else pairs))
    assert said(await town.find(MINE)) == ["verified in_force"]
    named = {str(row["merged_id"]): str(row["surviving_id"]) for row in await rows("SELECT * FROM duplicates")}
    assert named == {THRICE: MOTHER, TWICE: MOTHER}


async def test_a_stranger_gets_nothing_by_it(town, merge):
    await town.publish()
    await town.issue(TWICE)
    await merge((TWICE, MOTHER))
    assert said(await town.find(("x", ID_CARD, TWICE), caller=STRANGER)) == ["consent_needed no_consent"]
