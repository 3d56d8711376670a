"""Consent for one filing: asked for, seen by the holder, granted or declined; and what a department checks again."""

import asyncio

import pytest
from common.errors import Refusal

from .town import FATHER, ID_CARD, MARRIAGE, MARRIAGE_TYPE, MOTHER, STRANGER, said

HIS = ("father", ID_CARD, FATHER)


async def of_me(town, person=FATHER):
    return (await town.ask("GET", "/v1/me/consent-requests", town.citizen(person))).json()["items"]


async def test_a_holder_sees_the_request_and_grants_it_for_that_filing_alone(town, facts):
    await town.publish()
    await town.issue(FATHER)
    filing, other = town.living.ids(), town.living.ids()
    asked = await town.request(filing)
    assert (asked["answer"], asked["grantee_id"]) == ("waiting", MOTHER)
    (seen,) = await of_me(town)
    assert seen["purpose"] == "为孩子小满办理出生一件事"
    assert (await of_me(town, MOTHER), await of_me(town, STRANGER)) == ([], [])
    assert said(await town.find(HIS, filing=filing)) == ["consent_needed no_consent"]
    granted = await town.answer(asked, "grant")
    assert (granted.status_code, granted.json()["answer"]) == (200, "granted")
    assert said(await town.find(HIS, filing=filing)) == ["verified in_force"]
    assert said(await town.find(HIS, filing=other)) == ["consent_needed no_consent"]
    assert said(await town.find(HIS)) == ["consent_needed no_consent"]
    assert said(await town.verify(filing, HIS)) == ["verified in_force"]
    (mine,) = (await town.ask("GET", "/v1/consent-requests", town.citizen(MOTHER))).json()["items"]
    assert (mine["answer"], mine["consent_id"]) == ("granted", granted.json()["consent_id"])
    (consent,) = (await town.ask("GET", "/v1/me/consents", town.citizen(FATHER))).json()["items"]
    assert (consent["filing_id"], consent["purpose"]) == (str(filing), "为孩子小满办理出生一件事")
    assert [fact.filing_id for fact in await facts("ConsentGranted")] == [str(filing)]
    path = f"/v1/consents/{consent['consent_id']}:withdraw"
    assert (await town.ask("POST", path, town.citizen(FATHER))).status_code == 200
    assert [fact.consent_id for fact in await facts("ConsentWithdrawn")] == [consent["consent_id"]]
    assert said(await town.find(HIS, filing=filing)) == ["consent_needed consent_withdrawn"]


async def test_asking_again_is_the_same_request(town, facts):
    await town.publish()
    filing = town.living.ids()
    asked = await asyncio.gather(*(town.request(filing) for _ in range(4)))
    assert len({each["consent_request_id"] for each in asked}) == 1
    assert len(await facts("ConsentRequested")) == 1
    assert (await town.answer(asked[0], "decline")).json()["answer"] == "declined"
    assert [fact.filing_id for fact in await facts("ConsentDeclined")] == [str(filing)]
    # After a no one may ask once more.
    assert (await town.request(filing))["consent_request_id"] != asked[0]["consent_request_id"]


async def test_a_request_is_answered_once(town, facts):
    await town.publish()
    asked = await town.request(town.living.ids())
    answers = await asyncio.gather(*(town.answer(asked, verb) for verb in ("grant", "decline", "grant")))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409]
    late = await town.answer(asked, "grant")
    assert late.json()["reason"] == "CONSENT_REQUEST_ALREADY_ANSWERED"
    assert len(await facts("ConsentGranted")) + len(await facts("ConsentDeclined")) == 1


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"holder_id": MOTHER}, "CONSENT_TO_ONESELF"),
        ({"licence_types": [MARRIAGE]}, "LICENCE_TYPE_UNKNOWN"),
        ({"licence_types": []}, "REQUEST_INVALID"),
        ({"filing_id": "x"}, "REQUEST_INVALID"),
        ({"purpose": " "}, "REQUEST_INVALID"),
    ],
)
async def test_a_request_that_makes_no_sense(town, wrong, reason):
    await town.publish()
    body = {"holder_id": FATHER, "licence_types": [ID_CARD], "matter_code": "newborn", "purpose": "办理出生一件事"}
    body = body | {"filing_id": str(town.living.ids())} | wrong
    answer = await town.ask("POST", "/v1/consent-requests", town.citizen(MOTHER), body)
    assert (answer.status_code, answer.json()["reason"]) == (422, reason)
    assert await of_me(town) == []


async def test_the_purpose_rests_sealed(town, rows):
    await town.publish()
    await town.answer(await town.request(town.living.ids()), "grant")
    for table in ("consents", "consent_requests", "journal", "outbox", "idempotency"):
        for row in await rows(f'SELECT t::text AS line FROM "{table}" t'):
            assert "小满" not in row["line"]
            assert "小满".encode().hex() not in row["line"]


async def test_the_department_checks_again_what_was_verified(town, rows):
    await town.publish()
    card = await town.issue(FATHER)
    consent = await town.grant()
    filing = town.living.ids()
    (first,) = await town.verify(filing, HIS)
    await town.ask("POST", f"/v1/consents/{consent['consent_id']}:withdraw", town.citizen(FATHER))
    # What the applicant could no longer ask, the department must know to decide lawfully.
    (again,) = await town.reverify(filing, "father", on=[first])
    assert (said([again]), again.licence_id) == (["verified in_force"], first.licence_id)
    assert again.evidence_id not in ("", first.evidence_id)
    assert [each.evidence_id for each in await town.reverify(filing, "father", on=[first])] == [again.evidence_id]
    await town.void(card)
    assert said(await town.reverify(filing, "father", on=[first])) == ["invalid revoked"]
    replacement = await town.issue(FATHER)
    (found,) = await town.reverify(filing, "father", on=[first])
    assert (said([found]), found.licence_id) == (["verified in_force"], replacement["licence_id"])
    seen = (await town.ask("GET", "/v1/me/verifications", town.citizen(FATHER))).json()["items"]
    assert [each["basis"] for each in seen].count("legal_duty") == 3
    acts = await rows("SELECT actor_id, owner_id, purpose FROM journal WHERE act = 'verification.reverify_licences'")
    assert {tuple(act) for act in acts} == {("police", FATHER, "办件决定前复核")}


async def test_what_was_never_verified_is_not_looked_up(town):
    await town.publish()
    await town.publish(MARRIAGE_TYPE)
    await town.issue(FATHER)
    filing = town.living.ids()
    mine = await town.verify(filing, ("mother", ID_CARD, MOTHER))
    for wanted in (("father",), ("mother", "father"), ()):
        with pytest.raises(Refusal) as refused:
            await town.reverify(filing, *wanted, on=mine)
        assert refused.value.reason == "EVIDENCE_NOT_FOUND"
    with pytest.raises(Refusal) as refused:
        await town.reverify(town.living.ids(), "mother", on=mine)
    assert refused.value.reason == "EVIDENCE_NOT_FOUND"
    with pytest.raises(Refusal) as refused:
        await town.reverify(filing, "mother", on=mine, by="powerless")
    assert refused.value.reason == "PERMISSION_MISSING"


async def test_whoever_has_not_read_the_case_cannot_have_its_licences_verified_again(town):
    """A filing's number is known to each department that has a case of it; the evidence to those that decide on it."""
    await town.publish()
    await town.issue(MOTHER)
    filing, other = town.living.ids(), town.living.ids()
    mine = await town.verify(filing, ("mother", ID_CARD, MOTHER))
    elsewhere = await town.verify(other, ("mother", ID_CARD, MOTHER))
    another_key = await town.verify(filing, ("again", ID_CARD, MOTHER))
    for on in ((), elsewhere, another_key):
        with pytest.raises(Refusal) as refused:
            await town.reverify(filing, "mother", on=on, by="zichuan")
        assert refused.value.reason == "EVIDENCE_NOT_FOUND"
    assert said(await town.reverify(filing, "mother", on=mine)) == ["verified in_force"]
