"""Verification at the gRPC door: what is found, what is put on record, what is refused."""

import asyncio
from datetime import timedelta

import pytest
from common.errors import Kind, Refusal
from tongban.verification.v1 import licence_service_pb2

from .town import FACE, FATHER, ID_CARD, ID_CARD_TYPE, MARRIAGE, MARRIAGE_TYPE, MOTHER, POLICE, STRANGER, said

CHILD = "00000000-0000-7000-8000-000000000211"
COMPANY = "00000000-0000-7000-8000-000000000601"
GUARDIANSHIP = "00000000-0000-7000-8000-000000000501"
MINE = ("mother", ID_CARD, MOTHER)
HIS = ("father", ID_CARD, FATHER)


async def test_findings_before_and_after_consent(town):
    await town.publish()
    card = await town.issue(MOTHER)
    await town.issue(FATHER)
    assert said(await town.find(MINE, HIS)) == ["verified in_force", "consent_needed no_consent"]
    consent = await town.grant()
    mine, his = await town.find(MINE, HIS)
    assert (mine.licence_id, mine.identifier, mine.version) == (card["licence_id"], card["identifier"], 1)
    assert said([his]) == ["verified in_force"]
    assert mine.evidence_id == ""
    # The consent is for one person, one matter, one type.
    assert said(await town.find(HIS, caller=STRANGER)) == ["consent_needed no_consent"]
    assert said(await town.find(HIS, matter="marriage")) == ["consent_needed no_consent"]
    assert said(await town.find(("m", MARRIAGE, FATHER))) == ["consent_needed no_consent"]
    answer = await town.ask("POST", f"/v1/consents/{consent['consent_id']}:withdraw", town.citizen(FATHER))
    assert answer.status_code == 200
    assert said(await town.find(HIS)) == ["consent_needed consent_withdrawn"]
    await town.grant()
    assert said(await town.find(HIS)) == ["verified in_force"]
    town.clock.advance(timedelta(days=31))
    assert said(await town.find(HIS)) == ["consent_needed consent_expired"]


async def test_missing_void_and_expired(town):
    await town.publish()
    assert said(await town.find(MINE)) == ["missing no_licence"]
    card = await town.issue(MOTHER, valid_until="2027-11-23")
    await town.void(card, kind="cancelled")
    assert said(await town.find(MINE)) == ["invalid cancelled"]
    await town.void(await town.issue(FATHER), kind="revoked")
    assert said(await town.find(("own", ID_CARD, FATHER), caller=FATHER)) == ["invalid revoked"]
    await town.issue(MOTHER, valid_until="2027-11-23")
    (found,) = await town.find(MINE)
    assert found.valid_until.ToJsonString() == "2027-11-23T16:00:00Z"
    town.clock.advance(timedelta(days=366))
    assert said(await town.find(MINE)) == ["invalid expired"]


async def test_a_licence_for_ever_has_no_end(town):
    await town.publish(ID_CARD_TYPE | {"validity_years": None})
    for end in (None, "9999-12-31"):
        await town.issue(MOTHER, valid_until=end)
        (found,) = await town.find(MINE)
        assert not found.HasField("valid_until")


async def test_a_shared_licence_needs_no_consent(town):
    await town.publish(MARRIAGE_TYPE)
    await town.issue(FATHER, MOTHER, licence_type=MARRIAGE, face={"certificate_no": "J370303-2024-000123"})
    assert said(await town.find(("m", MARRIAGE, FATHER), ("w", MARRIAGE, MOTHER))) == ["verified in_force"] * 2
    assert said(await town.find(("m", MARRIAGE, FATHER), caller=STRANGER)) == ["consent_needed no_consent"]


async def test_the_same_verification_is_one_record(town):
    await town.publish()
    await town.issue(MOTHER)
    filing = town.living.ids()
    calls = await asyncio.gather(*(town.verify(filing, MINE, HIS) for _ in range(5)))
    first = [each.evidence_id for each in calls[0]]
    assert all(first)
    assert all([each.evidence_id for each in call] == first for call in calls)
    town.clock.advance(timedelta(hours=1))
    assert [each.evidence_id for each in await town.verify(filing, HIS, MINE)] == first[::-1]
    other = await town.verify(town.living.ids(), MINE)
    assert other[0].evidence_id not in first


async def test_a_changed_answer_is_another_record(town):
    await town.publish()
    card = await town.issue(FATHER)
    filing = town.living.ids()
    (before,) = await town.verify(filing, HIS)
    await town.grant()
    (after,) = await town.verify(filing, HIS)
    await town.void(card)
    (voided,) = await town.verify(filing, HIS)
    assert said([before, after, voided]) == ["consent_needed no_consent", "verified in_force", "invalid revoked"]
    assert len({before.evidence_id, after.evidence_id, voided.evidence_id}) == 3


async def test_every_holder_reads_who_verified(town):
    await town.publish()
    await town.publish(MARRIAGE_TYPE)
    await town.issue(FATHER)
    await town.issue(FATHER, MOTHER, licence_type=MARRIAGE, face={"certificate_no": "J370303-2024-000123"})
    await town.grant()
    filing = town.living.ids()
    await town.verify(filing, HIS, ("marriage", MARRIAGE, MOTHER))
    seen = (await town.ask("GET", "/v1/me/verifications", town.citizen(FATHER))).json()["items"]
    assert {(each["key"], each["asked_by"], each["filing_id"], each["finding"], each["basis"]) for each in seen} == {
        ("father", MOTHER, str(filing), "verified", "consent"),
        ("marriage", MOTHER, str(filing), "verified", "own_licence"),
    }
    assert seen[0]["purpose"] == "办理新生儿出生一件事"
    assert seen[0]["identifier"].startswith("1.2.156.3005.2.")
    assert (await town.ask("GET", "/v1/me/verifications", town.citizen(STRANGER))).json()["items"] == []


async def test_a_guardian_uses_the_child_s_licences(town):
    await town.publish()
    card = await town.issue(CHILD)
    child = ("child", ID_CARD, CHILD)
    assert said(await town.find(child)) == ["consent_needed no_consent"]
    town.accounts.wards[MOTHER] = {CHILD: GUARDIANSHIP}
    filing = town.living.ids()
    first, again = await town.verify(filing, child), await town.verify(filing, child)
    assert said(first) == ["verified in_force"]
    assert (first[0].licence_id, first[0].evidence_id) == (card["licence_id"], again[0].evidence_id)
    (seen,) = (await town.ask("GET", "/v1/me/verifications", town.citizen(CHILD))).json()["items"]
    assert (seen["basis"], seen["guardianship_id"], seen["asked_by"]) == ("guardianship", GUARDIANSHIP, MOTHER)
    # The right is the guardian's alone, and is over when accounts no longer tells of it.
    assert said(await town.find(child, caller=STRANGER)) == ["consent_needed no_consent"]
    town.accounts.wards.clear()
    assert said(await town.verify(filing, child)) == ["consent_needed no_consent"]


async def test_a_child_s_void_licence_is_told_to_the_guardian(town):
    await town.publish()
    town.accounts.wards[MOTHER] = {CHILD: GUARDIANSHIP}
    assert said(await town.find(("child", ID_CARD, CHILD))) == ["missing no_licence"]
    await town.void(await town.issue(CHILD))
    assert said(await town.find(("child", ID_CARD, CHILD), ("father", ID_CARD, FATHER))) == [
        *("invalid revoked", "consent_needed no_consent")
    ]


async def test_a_plan_leaves_no_record(town):
    await town.publish()
    await town.issue(MOTHER)
    await town.find(MINE)
    assert (await town.ask("GET", "/v1/me/verifications", town.citizen(MOTHER))).json()["items"] == []


async def test_an_empty_batch_finds_nothing(town):
    assert list(await town.find()) == []
    assert list(await town.verify(town.living.ids())) == []


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ([MINE, MINE], "QUERY_KEY_REPEATED"),
        ([(str(number), ID_CARD, MOTHER) for number in range(101)], "QUERIES_TOO_MANY"),
        ([("k", "short", MOTHER)], "LICENCE_TYPE_MALFORMED"),
        ([("k", ID_CARD, "somebody")], "ID_MALFORMED"),
        ([("k\x00", ID_CARD, MOTHER)], "MESSAGE_UNREADABLE"),
        ([("k\x01", ID_CARD, MOTHER)], "TEXT_UNFIT"),
        ([("", ID_CARD, MOTHER)], "TEXT_UNFIT"),
        ([("k" * 201, ID_CARD, MOTHER)], "TEXT_UNFIT"),
    ],
)
async def test_what_cannot_be_asked_is_refused(town, asked, reason):
    with pytest.raises(Refusal) as refused:
        await town.verify(town.living.ids(), *asked)
    assert refused.value.reason == reason


async def test_only_citizens_look_for_licences(town):
    request = licence_service_pb2.FindLicencesRequest(matter_code="newborn")
    for token in (town.officer("police"), town.service("verification:find_licences")):
        with pytest.raises(Refusal) as refused:
            await town.call("FindLicences", request, token)
        assert refused.value.reason == "CALLER_NOT_ALLOWED"


async def test_the_published_types_are_told(town):
    await town.publish()
    request = licence_service_pb2.CheckLicenceTypesRequest(licence_types=[ID_CARD, MARRIAGE, "x"])
    for token in (town.officer("police"), town.service("verification:read_licence_type")):
        assert list((await town.call("CheckLicenceTypes", request, token)).known) == [ID_CARD]


def a_result(**given):
    return licence_service_pb2.IssueLicenceRequest(
        **{
            "request_id": "case-1",
            "licence_type": ID_CARD,
            "issuer_uscc": POLICE["uscc"],
            "issuer_org_id": POLICE["org_id"],
            "issuer_org_path": POLICE["org_path"],
            "region_code": POLICE["region_code"],
            "holder_ids": [MOTHER],
            "face": FACE | {"address": ""},
        }
        | given
    )


async def test_a_decided_case_gets_one_licence(town, facts):
    await town.publish()
    token = town.service("verification:issue_licence")
    answers = await asyncio.gather(*(town.call("IssueLicence", a_result(), token) for _ in range(4)))
    assert len({(answer.licence_id, answer.identifier) for answer in answers}) == 1
    issued = await facts("LicenceIssued")
    assert [fact.licence_id for fact in issued] == [answers[0].licence_id]
    with pytest.raises(Refusal) as refused:
        await town.call("IssueLicence", a_result(holder_ids=[FATHER]), token)
    assert refused.value.reason == "LICENCE_REQUEST_REUSED"


async def test_a_correction_makes_one_version_however_often_it_is_asked_for(town, facts):
    await town.publish()
    token = town.service("verification:issue_licence")
    licence_id = (await town.call("IssueLicence", a_result(), token)).licence_id
    asked = licence_service_pb2.CorrectLicenceRequest(licence_id=licence_id, face={"name": "李婧"})
    answers = await asyncio.gather(*(town.call("CorrectLicence", asked, token) for _ in range(4)))
    assert {(answer.licence_id, answer.version) for answer in answers} == {(licence_id, 2)}
    assert [fact.version for fact in await facts("LicenceRenewed")] == [2]
    wrong = licence_service_pb2.CorrectLicenceRequest(licence_id=licence_id, face={"height": "1"})
    with pytest.raises(Refusal) as refused:
        await town.call("CorrectLicence", wrong, token)
    assert refused.value.reason == "FACE_FIELD_UNKNOWN"


async def test_an_officer_steps_up_to_issue(town, facts):
    await town.publish()
    with pytest.raises(Refusal) as refused:
        await town.call("IssueLicence", a_result(), town.officer("police", acr=1))
    assert (refused.value.reason, refused.value.kind) == ("STEP_UP_NEEDED", Kind.STEP_UP)
    assert await facts("LicenceIssued") == []
    assert (await town.call("IssueLicence", a_result(), town.officer("police", acr=2))).licence_id


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"licence_type": MARRIAGE}, "LICENCE_TYPE_UNKNOWN"),
        ({"issuer_uscc": "1137"}, "ISSUER_MALFORMED"),
        ({"issuer_org_id": ""}, "ID_MALFORMED"),
        ({"holder_ids": []}, "HOLDER_COUNT_WRONG"),
        ({"holder_ids": [MOTHER, MOTHER]}, "HOLDER_COUNT_WRONG"),
        ({"face": {"name": "李静"}}, "FACE_FIELD_MISSING"),
        ({"face": FACE | {"height": "1"}}, "FACE_FIELD_UNKNOWN"),
        ({"face": FACE | {"name": "\x00"}}, "MESSAGE_UNREADABLE"),
        ({"face": FACE | {"name": "\x01"}}, "TEXT_UNFIT"),
        ({"face": FACE | {"name": "营" * 4_001}}, "MESSAGE_UNREADABLE"),
    ],
)
async def test_a_licence_that_cannot_be_issued(town, facts, given, reason):
    await town.publish()
    with pytest.raises(Refusal) as refused:
        await town.call("IssueLicence", a_result(**given), town.service("verification:issue_licence"))
    assert refused.value.reason == reason
    assert await facts("LicenceIssued") == []


async def test_a_licence_with_a_long_text_is_issued(town, facts):
    await town.publish()
    given = a_result(face=FACE | {"name": "营" * 4_000})
    assert (await town.call("IssueLicence", given, town.service("verification:issue_licence"))).licence_id
    assert len(await facts("LicenceIssued")) == 1


async def test_an_agent_has_the_legal_persons_licences_verified(town, rows):
    await town.publish()
    await town.issue(COMPANY)
    await town.issue(MOTHER)
    theirs = ("permit", ID_CARD, COMPANY)
    assert said(await town.find(theirs)) == ["consent_needed no_consent"]
    for behalf in (COMPANY, "the company"):
        with pytest.raises(Refusal) as refused:
            await town.find(theirs, behalf=behalf)
        assert refused.value.kind in (Kind.DENIED, Kind.INVALID)
    town.accounts.agents.add((MOTHER, COMPANY, "newborn"))
    # What the agent holds is no licence of the company's.
    assert said(await town.find(theirs, MINE, behalf=COMPANY)) == ["verified in_force", "consent_needed no_consent"]
    (found,) = await town.verify(town.living.ids(), theirs, behalf=COMPANY)
    assert found.evidence_id
    with pytest.raises(Refusal):
        await town.verify(town.living.ids(), theirs, behalf=COMPANY, matter="marriage")
    (act,) = await rows("SELECT actor_id, owner_id FROM journal WHERE act = 'verification.verify_licences'")
    assert (act["actor_id"], act["owner_id"]) == (MOTHER, COMPANY)
