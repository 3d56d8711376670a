"""The rules: identifiers, licence histories, consent, what a verification finds."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from common.errors import Refusal
from hypothesis import given
from hypothesis import strategies as st
from verification.domain import consent as consents
from verification.domain import face, identifier, licence, refusals, verifying
from verification.domain.identifier import Identifier, LicenceTypeCode
from verification.domain.licence import Issuer, State, VoidKind
from verification.domain.licence_type import FaceField, FieldKind, HolderKind, LicenceType

AT = datetime(2026, 3, 1, 9, tzinfo=UTC)
MOTHER, FATHER, STRANGER = UUID(int=1), UUID(int=2), UUID(int=3)
ID_CARD = LicenceTypeCode("11100000000013127D001")
ISSUER = Issuer(uscc="11370303MB9TD0071N", org_id=UUID(int=9), org_path="zibo.zhangdian.police", region_code="370303")
TYPE = LicenceType(
    code=ID_CARD,
    version=1,
    name="居民身份证",
    defining_body="11100000000013127D",
    holder_kind=HolderKind.PERSON,
    face_fields=(
        FaceField("name", "姓名"),
        FaceField("id_number", "公民身份号码", FieldKind.ID_NUMBER),
        FaceField("phone", "电话", FieldKind.PHONE, required=False),
    ),
    validity_years=10,
    effective_from=date(2020, 1, 1),
)
FACE = {"name": "李静", "id_number": "370303190001010024"}


def issued(*holders, at=AT, years=10, **given):
    licence_type = replace(
        TYPE, validity_years=years, holder_kind=HolderKind.COUPLE if len(holders) == 2 else HolderKind.PERSON
    )
    return licence.issue(
        licence_type,
        licence_id=given.pop("licence_id", UUID(int=100)),
        issuer=ISSUER,
        serial=given.pop("serial", "0000000001"),
        holders=holders or (MOTHER,),
        face=given.pop("face", FACE),
        valid_from=given.pop("valid_from", None),
        valid_until=given.pop("valid_until", None),
        at=at,
    )


# Identifiers ---------------------------------------------------------------------------------------------------------

VECTORS = [
    "1.2.156.3005.2.11100000000013338W011.11430000006122244L.20230000403.001.U",
    "1.2.156.3005.2.11100000000013338W032.11220000013544541J.2430599.001.F",
    "1.2.156.3005.2.11100000000013338W009.11330105002500287C.2025052201.002.0",
    "1.2.156.3005.2.11100000MB0143028R001.11370300MB28560647.9137030300000001.001.N",
    "1.2.156.3005.2.11100000MB0143028R001.11370300MB28560647.20260315000123.001.M",
]
ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
identifiers = st.builds(
    Identifier,
    st.text(ALPHABET, min_size=21, max_size=21),
    st.text(ALPHABET, min_size=18, max_size=18),
    st.text(ALPHABET, min_size=1, max_size=32),
    st.integers(1, 999),
)


@pytest.mark.parametrize("text", VECTORS)
def test_public_identifiers_are_read_and_built(text):
    assert str(identifier.parse(text)) == text


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (VECTORS[0][:-1] + "V", "IDENTIFIER_CHECK_WRONG"),
        (
            "1.2.156.3005.2.11100000000013661B006.113700000045046442.209FA4E88F9E4C878F3E9BED2CE7EA49.001.M",
            "IDENTIFIER_CHECK_WRONG",
        ),
        (VECTORS[0] + "\n", "IDENTIFIER_MALFORMED"),
        (VECTORS[0].lower(), "IDENTIFIER_MALFORMED"),
        (VECTORS[0].replace("1.2.156", "1.2.157"), "IDENTIFIER_MALFORMED"),
        (VECTORS[0].replace(".001.", ".000."), "IDENTIFIER_MALFORMED"),
        ("", "IDENTIFIER_MALFORMED"),
        ("１" + VECTORS[0][1:], "IDENTIFIER_MALFORMED"),
    ],
)
def test_what_is_no_identifier_is_refused(text, reason):
    with pytest.raises(refusals.Invalid) as refused:
        identifier.parse(text)
    assert refused.value.reason == reason


@given(identifiers)
def test_what_was_built_is_read_back(made):
    assert identifier.parse(str(made)) == made


@given(identifiers, st.data())
def test_every_single_changed_character_is_noticed(made, data):
    text = str(made)
    place = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.sampled_from([sign for sign in ALPHABET + ".a" if sign != text[place]]))
    with pytest.raises(refusals.Invalid):
        identifier.parse(text[:place] + other + text[place + 1 :])


@given(st.text(max_size=90))
def test_any_text_is_read_or_refused(text):
    with pytest.raises(refusals.Invalid):
        identifier.parse(text)


# Types ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"holders": ()}, "HOLDER_COUNT_WRONG"),
        ({"holders": (MOTHER, FATHER)}, "HOLDER_COUNT_WRONG"),
        ({"face": {"name": "李静"}}, "FACE_FIELD_MISSING"),
        ({"face": FACE | {"name": " "}}, "FACE_FIELD_MISSING"),
        ({"face": FACE | {"height": "170"}}, "FACE_FIELD_UNKNOWN"),
        ({"valid_until": date(2026, 2, 28)}, "VALIDITY_REVERSED"),
        ({"valid_until": date(2036, 3, 2)}, "VALIDITY_TOO_LONG"),
        ({"serial": "a-1"}, "SERIAL_MALFORMED"),
        ({"serial": "1" * 33}, "SERIAL_MALFORMED"),
    ],
)
def test_a_licence_that_does_not_fit_its_type_is_refused(given, reason):
    fitting = {
        "holders": (MOTHER,),
        "face": FACE,
        "serial": "1",
        "valid_from": None,
        "valid_until": None,
        "licence_id": UUID(int=100),
        "issuer": ISSUER,
        "at": AT,
    }
    with pytest.raises(Refusal) as refused:
        licence.issue(TYPE, **fitting | given)
    assert refused.value.reason == reason


@pytest.mark.parametrize(
    ("first", "years", "last"),
    [
        (date(2016, 3, 10), 10, date(2026, 3, 10)),
        (date(2024, 2, 29), 10, date(2034, 2, 28)),
        (date(2024, 2, 29), 20, date(2044, 2, 29)),
        (date(2024, 5, 1), None, None),
    ],
)
def test_the_rule_gives_the_last_day(first, years, last):
    assert issued(valid_from=first, years=years).valid_until == last


def test_numbers_of_people_are_masked():
    shown = face.masked(TYPE.face_fields, FACE | {"phone": "19900000001"})
    assert [(entry.code, entry.value) for entry in shown] == [
        ("name", "李静"),
        ("id_number", "370303********0024"),
        ("phone", "199****0001"),
    ]
    assert [entry.value for entry in face.in_full(TYPE.face_fields, FACE)] == ["李静", "370303190001010024"]


@given(st.text(max_size=10))
def test_a_short_number_is_masked_whole(number):
    fields = (FaceField("id_number", "号码", FieldKind.ID_NUMBER),)
    assert set(face.masked(fields, {"id_number": number})[0].value) <= {"*"}


# Histories -----------------------------------------------------------------------------------------------------------


def test_expiry_is_computed_by_the_clock_of_china():
    card = issued(valid_from=date(2026, 1, 1), valid_until=date(2026, 3, 1))
    last_moment = datetime(2026, 3, 1, 15, 59, 59, tzinfo=UTC)
    assert card.state(last_moment) is State.VALID
    assert card.state(last_moment + timedelta(seconds=1)) is State.EXPIRED
    assert card.recorded is State.VALID


# From each state, what each verb gives; None is a refusal. Expired is reached by the clock alone.
TRANSITIONS = {
    (State.VALID, "renew"): State.VALID,
    (State.VALID, VoidKind.REVOKED): State.REVOKED,
    (State.VALID, VoidKind.CANCELLED): State.CANCELLED,
    (State.EXPIRED, "renew"): State.VALID,
    (State.EXPIRED, VoidKind.REVOKED): State.REVOKED,
    (State.EXPIRED, VoidKind.CANCELLED): State.CANCELLED,
    (State.REVOKED, "renew"): None,
    (State.REVOKED, VoidKind.REVOKED): None,
    (State.REVOKED, VoidKind.CANCELLED): None,
    (State.CANCELLED, "renew"): None,
    (State.CANCELLED, VoidKind.REVOKED): None,
    (State.CANCELLED, VoidKind.CANCELLED): None,
}
verbs = st.lists(st.sampled_from(["renew", "years pass", *VoidKind]), max_size=8)


@given(verbs)
def test_every_history_follows_the_table(history):
    at, card = AT, issued()
    for verb in history:
        if verb == "years pass":
            at += timedelta(days=366 * 11)
            continue
        before, expected = card, TRANSITIONS[card.state(at), verb]
        try:
            if verb == "renew":
                card = licence.renew(
                    card, TYPE, version=card.version, face=FACE, valid_from=None, valid_until=None, at=at
                )
            else:
                card = licence.void(card, verb, version=card.version)
        except refusals.LicenceAlreadyVoid:
            assert expected is None
            assert card is before
            continue
        assert card.state(at) is expected
        assert card.version == before.version + (verb == "renew")
        assert identifier.parse(card.identifier).version == card.version


def test_a_version_that_is_not_the_current_one_cannot_be_changed():
    card = issued()
    for change in (
        lambda: licence.void(card, VoidKind.REVOKED, version=2),
        lambda: licence.renew(card, TYPE, version=2, face=FACE, valid_from=None, valid_until=None, at=AT),
    ):
        with pytest.raises(refusals.LicenceChanged):
            change()


def test_the_last_version_cannot_be_renewed():
    card = replace(issued(), version=999)
    with pytest.raises(refusals.LicenceVersionsExhausted):
        licence.renew(card, TYPE, version=999, face=FACE, valid_from=None, valid_until=None, at=AT)


# Verification --------------------------------------------------------------------------------------------------------


def consented(**given):
    return replace(
        consents.grant(
            consent_id=UUID(int=50),
            holder_id=FATHER,
            grantee_id=MOTHER,
            licence_types=[ID_CARD],
            matter_code="newborn",
            valid_until=AT + timedelta(days=30),
            at=AT,
        ),
        **given,
    )


VOIDED = replace(issued(), recorded=State.REVOKED)
FATHERS = issued(FATHER, licence_id=UUID(int=101))
COUPLES = issued(MOTHER, FATHER, licence_id=UUID(int=102))

CASES = {
    "own, in force": (MOTHER, [issued()], [], "verified in_force own_licence"),
    "own, none": (MOTHER, [], [], "missing no_licence own_licence"),
    "own, revoked": (MOTHER, [VOIDED], [], "invalid revoked own_licence"),
    "own, cancelled": (MOTHER, [replace(VOIDED, recorded=State.CANCELLED)], [], "invalid cancelled own_licence"),
    "own, expired": (
        MOTHER,
        [issued(valid_from=date(2010, 1, 1), valid_until=date(2015, 1, 1))],
        [],
        "invalid expired own_licence",
    ),
    "own, not yet": (MOTHER, [issued(valid_from=date(2026, 6, 1))], [], "invalid not_yet_valid own_licence"),
    "own, one void and one in force": (MOTHER, [VOIDED, issued()], [], "verified in_force own_licence"),
    "shared": (FATHER, [COUPLES], [], "verified in_force own_licence"),
    "another's": (FATHER, [FATHERS], [], "consent_needed no_consent None"),
    "another's, none": (FATHER, [], [], "consent_needed no_consent None"),
    "another's, consented": (FATHER, [FATHERS], [consented()], "verified in_force consent"),
    "another's, none, consented": (FATHER, [], [consented()], "missing no_licence consent"),
    "another's, withdrawn": (FATHER, [FATHERS], [consented(withdrawn_at=AT)], "consent_needed consent_withdrawn None"),
    "another's, over": (FATHER, [FATHERS], [consented(valid_until=AT)], "consent_needed consent_expired None"),
    "another's, withdrawn and granted again": (
        FATHER,
        [FATHERS],
        [consented(withdrawn_at=AT), consented()],
        "verified in_force consent",
    ),
    "shared but void": (FATHER, [replace(COUPLES, recorded=State.CANCELLED)], [], "invalid cancelled own_licence"),
    "shared but void, another consented": (
        FATHER,
        [replace(COUPLES, recorded=State.CANCELLED), FATHERS],
        [consented()],
        "verified in_force consent",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_found(name):
    holder, licences, given_consents, expected = CASES[name]
    query = verifying.Query("card", ID_CARD, holder)
    decision = verifying.decide(query, caller=MOTHER, licences=licences, consents=given_consents, at=AT)
    assert f"{decision.finding} {decision.reason} {decision.basis}" == expected
    if decision.finding is verifying.Finding.CONSENT_NEEDED:
        assert decision.licence is None


@given(st.permutations([VOIDED, issued(), COUPLES, FATHERS]), st.permutations([consented(), consented(valid_until=AT)]))
def test_the_order_of_rows_does_not_matter(licences, given_consents):
    query = verifying.Query("card", ID_CARD, FATHER)
    decision = verifying.decide(query, caller=MOTHER, licences=licences, consents=given_consents, at=AT)
    assert decision.basis is verifying.Basis.OWN_LICENCE
    assert decision.finding is verifying.Finding.VERIFIED


def test_a_repeated_key_is_refused():
    query = verifying.Query("card", ID_CARD, MOTHER)
    with pytest.raises(refusals.QueryKeyRepeated):
        verifying.check_queries([query, query])


def test_the_same_answer_is_the_same_record_and_another_is_not():
    def record(holder, found, at):
        query = verifying.Query("card", ID_CARD, holder)
        decision = verifying.decide(query, caller=MOTHER, licences=found, consents=[], at=at)
        return verifying.evidence_of(
            decision,
            evidence_id=UUID(int=int(at.timestamp())),
            filing_id=UUID(int=7),
            asked_by=MOTHER,
            matter_code="newborn",
            purpose="新生儿出生一件事",
            at=at,
        )

    first = verifying.fingerprint(record(MOTHER, [issued()], AT))
    assert first == verifying.fingerprint(record(MOTHER, [issued()], AT + timedelta(hours=1)))
    assert first != verifying.fingerprint(record(MOTHER, [VOIDED], AT))
    assert first != verifying.fingerprint(record(FATHER, [], AT))


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"grantee_id": FATHER}, "CONSENT_TO_ONESELF"),
        ({"licence_types": []}, "CONSENT_TYPES_MISSING"),
        ({"valid_until": AT}, "CONSENT_ALREADY_OVER"),
    ],
)
def test_a_consent_to_nothing_is_refused(given, reason):
    fitting = {
        "consent_id": UUID(int=50),
        "holder_id": FATHER,
        "grantee_id": MOTHER,
        "licence_types": [ID_CARD],
        "matter_code": "newborn",
        "valid_until": AT + timedelta(days=1),
        "at": AT,
    }
    with pytest.raises(Refusal) as refused:
        consents.grant(**fitting | given)
    assert refused.value.reason == reason


def test_a_consent_is_withdrawn_once():
    withdrawn = consents.withdraw(consented(), at=AT)
    assert not withdrawn.live(AT)
    with pytest.raises(refusals.ConsentAlreadyWithdrawn):
        consents.withdraw(withdrawn, at=AT)


@pytest.mark.parametrize(
    ("kind", "most"),
    [(HolderKind.PERSON, 1), (HolderKind.COUPLE, 2), (HolderKind.FAMILY, 10), (HolderKind.LEGAL_PERSON, 1)],
)
def test_a_type_says_how_many_hold_it(kind, most):
    licence_type = replace(TYPE, holder_kind=kind)
    licence_type.check_holders(most)
    for count in (0, most + 1):
        with pytest.raises(refusals.HolderCountWrong):
            licence_type.check_holders(count)
