"""The library at the HTTP door: types, licences through their lives, consents, what each reader is shown."""

import asyncio
from datetime import timedelta

import pytest

from .town import FACE, FATHER, ID_CARD, ID_CARD_TYPE, MARRIAGE, MARRIAGE_TYPE, MOTHER, POLICE, STRANGER

HIDDEN = "370303********0024"


def problem(answer):
    return answer.status_code, answer.json()["reason"]


async def test_a_type_is_published_once_and_versioned(town):
    first = await town.publish()
    assert (first["version"], await town.publish()) == (1, first)
    second = await town.publish(ID_CARD_TYPE | {"name": "居民身份证(新版)", "effective_from": "2027-01-01"})
    assert second["version"] == 2
    listed = (await town.ask("GET", "/v1/licence-types", town.citizen(MOTHER))).json()
    assert [(each["code"], each["version"]) for each in listed] == [(ID_CARD, 1)]
    town.clock.advance(timedelta(days=60))
    listed = (await town.ask("GET", "/v1/licence-types", town.citizen(MOTHER))).json()
    assert [each["version"] for each in listed] == [2]


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"face_fields": [{"code": "name", "title": "姓名"}] * 2}, "FACE_FIELDS_REPEATED"),
        ({"code": "short"}, "REQUEST_INVALID"),
        ({"validity_years": 0}, "REQUEST_INVALID"),
        ({"holder_kind": "dog"}, "REQUEST_INVALID"),
        ({"colour": "red"}, "REQUEST_INVALID"),
    ],
)
async def test_a_type_that_makes_no_sense_is_refused(town, wrong, reason):
    answer = await town.ask("POST", "/v1/licence-types", town.officer("admin"), ID_CARD_TYPE | wrong)
    assert problem(answer) == (422, reason)
    assert (await town.ask("GET", "/v1/licence-types", town.citizen(MOTHER))).json() == []


async def test_the_life_of_a_licence(town, facts):
    await town.publish()
    card = await town.issue(MOTHER)
    assert card["identifier"].startswith(f"1.2.156.3005.2.{ID_CARD}.{POLICE['uscc']}.0000000001.001.")
    assert (card["state"], card["valid_from"], card["valid_until"]) == ("valid", "2026-11-23", "2046-11-23")
    path = f"/v1/licences/{card['licence_id']}"
    renewal = {"version": 1, "face": FACE | {"address": "张店区示范路1号"}}
    renewed = await town.ask("POST", f"{path}:renew", town.officer("police"), renewal)
    assert (renewed.json()["version"], renewed.json()["licence_id"]) == (2, card["licence_id"])
    assert ".0000000001.002." in renewed.json()["identifier"]
    late = await town.ask("POST", f"{path}:renew", town.officer("police"), {"version": 1})
    assert problem(late) == (409, "LICENCE_CHANGED")
    voided = await town.void(renewed.json(), kind="cancelled")
    assert voided.json()["state"] == "cancelled"
    assert problem(await town.void(renewed.json())) == (409, "LICENCE_ALREADY_VOID")
    again = await town.ask("POST", f"{path}:renew", town.officer("police"), {"version": 2})
    assert problem(again) == (409, "LICENCE_ALREADY_VOID")
    read = (await town.ask("GET", path, town.citizen(MOTHER))).json()
    assert [(past["version"], past["identifier"]) for past in read["past_versions"]] == [(1, card["identifier"])]
    told = [
        (await facts("LicenceIssued")),
        (await facts("LicenceRenewed")),
        (await facts("LicenceVoided")),
    ]
    assert [[(fact.licence_id, fact.version) for fact in kind] for kind in told] == [
        [(card["licence_id"], 1)],
        [(card["licence_id"], 2)],
        [(card["licence_id"], 2)],
    ]
    assert told[2][0].reason == "cancelled"


async def test_an_expired_licence_is_renewed(town):
    await town.publish()
    card = await town.issue(MOTHER, valid_until="2026-12-01")
    town.clock.advance(timedelta(days=30))
    path = f"/v1/licences/{card['licence_id']}"
    assert (await town.ask("GET", path, town.citizen(MOTHER))).json()["state"] == "expired"
    renewed = await town.ask("POST", f"{path}:renew", town.officer("police"), {"version": 1})
    assert (renewed.json()["state"], renewed.json()["valid_from"]) == ("valid", "2026-12-23")


async def test_one_request_is_one_licence(town, facts):
    await town.publish()
    cards = await asyncio.gather(*(town.issue(MOTHER, request_id="r1") for _ in range(4)))
    assert len({card["identifier"] for card in cards}) == 1
    assert len(await facts("LicenceIssued")) == 1
    other = await town.issue(FATHER, request_id="r2")
    assert ".0000000002.001." in other["identifier"]


async def test_the_same_key_gets_the_same_answer(town, facts):
    await town.publish()
    body = {
        "request_id": "r1",
        "licence_type": ID_CARD,
        "issuer": POLICE,
        "holders": [MOTHER],
        "face": FACE,
    }
    sent = [
        await town.ask("POST", "/v1/licences", town.officer("police"), body, **{"Idempotency-Key": "once"})
        for _ in range(2)
    ]
    assert sent[0].json() == sent[1].json()
    assert sent[1].headers["idempotency-replayed"] == "true"
    other = await town.ask(
        "POST", "/v1/licences", town.officer("police"), body | {"request_id": "r2"}, **{"Idempotency-Key": "once"}
    )
    assert problem(other) == (422, "IDEMPOTENCY_KEY_REUSED")
    assert len(await facts("LicenceIssued")) == 1


async def test_void_and_renew_at_once_one_wins(town, facts):
    await town.publish()
    for _ in range(5):
        card = await town.issue(MOTHER)
        path = f"/v1/licences/{card['licence_id']}:renew"
        answers = await asyncio.gather(town.void(card), town.ask("POST", path, town.officer("police"), {"version": 1}))
        assert sorted(answer.status_code for answer in answers) == [200, 409]
    assert len(await facts("LicenceVoided")) + len(await facts("LicenceRenewed")) == 5


@pytest.mark.parametrize(
    ("wrong", "status", "reason"),
    [
        ({"licence_type": MARRIAGE}, 422, "LICENCE_TYPE_UNKNOWN"),
        ({"holders": [MOTHER, FATHER]}, 422, "HOLDER_COUNT_WRONG"),
        ({"face": {"name": "李静"}}, 422, "FACE_FIELD_MISSING"),
        ({"face": FACE | {"height": "170"}}, 422, "FACE_FIELD_UNKNOWN"),
        ({"valid_until": "2020-01-01"}, 422, "VALIDITY_REVERSED"),
        ({"valid_until": "2099-01-01"}, 422, "VALIDITY_TOO_LONG"),
        ({"valid_from": "9999-12-31"}, 422, "VALIDITY_TOO_LONG"),
        ({"holders": ["nobody"]}, 422, "REQUEST_INVALID"),
        ({"request_id": "a b"}, 422, "REQUEST_INVALID"),
        ({"issuer": POLICE | {"org_path": "zibo.zichuan.police"}}, 403, "ISSUER_OUT_OF_SCOPE"),
        ({"issuer": POLICE | {"org_path": "zibo.zhangdian.police2"}}, 403, "ISSUER_OUT_OF_SCOPE"),
        ({"issuer": POLICE | {"region_code": "370302"}}, 403, "ISSUER_OUT_OF_SCOPE"),
    ],
)
async def test_a_licence_that_may_not_be_issued(town, facts, wrong, status, reason):
    await town.publish()
    body = {
        "request_id": "r1",
        "licence_type": ID_CARD,
        "issuer": POLICE,
        "holders": [MOTHER],
        "face": FACE,
    } | wrong
    answer = await town.ask("POST", "/v1/licences", town.officer("police"), body)
    assert problem(answer) == (status, reason)
    assert await facts("LicenceIssued") == []


async def test_each_reader_is_shown_what_is_theirs(town, rows):
    await town.publish()
    card = await town.issue(MOTHER)
    path = f"/v1/licences/{card['licence_id']}"

    async def numbers(token, address, **headers):
        answer = (await town.ask("GET", address, token, **headers)).json()
        return [field["value"] for item in answer.get("items", [answer]) for field in item["face"]][1::2]

    assert await numbers(town.citizen(MOTHER), path) == [FACE["id_number"]]
    assert await numbers(town.citizen(MOTHER), "/v1/me/licences") == [FACE["id_number"]]
    assert await numbers(town.officer("police"), path) == [HIDDEN]
    assert await numbers(town.officer("police"), path, **{"X-Purpose": "check"}) == [HIDDEN]
    assert await numbers(town.officer("revealer"), path) == [HIDDEN]
    assert await numbers(town.officer("revealer"), path, **{"X-Purpose": "check"}) == [FACE["id_number"]]
    assert await numbers(town.officer("revealer"), "/v1/licences", **{"X-Purpose": "check"}) == [HIDDEN]
    assert await numbers(town.officer("city"), "/v1/licences") == [HIDDEN]
    read = await rows("SELECT actor_id, purpose, owner_id FROM journal WHERE act = 'verification.read_licence'")
    assert {tuple(row) for row in read} == {
        ("police", None, MOTHER),
        ("police", "check", MOTHER),
        ("revealer", None, MOTHER),
        ("revealer", "check", MOTHER),
    }


async def test_outside_the_scope_there_is_nothing(town):
    await town.publish()
    card = await town.issue(MOTHER)
    path = f"/v1/licences/{card['licence_id']}"
    for token in (
        town.officer("zichuan"),
        town.officer("civil"),
        town.citizen(FATHER),
    ):
        assert problem(await town.ask("GET", path, token)) == (404, "LICENCE_NOT_FOUND")
    for name in ("zichuan", "civil"):
        assert (await town.ask("GET", "/v1/licences", town.officer(name))).json()["items"] == []
        body = {"version": 1, "kind": "revoked", "explanation": "x"}
        assert problem(await town.ask("POST", f"{path}:void", town.officer(name), body))[0] == 404
        assert problem(await town.ask("POST", f"{path}:renew", town.officer(name), {"version": 1}))[0] == 404
    assert (await town.ask("GET", "/v1/me/licences", town.citizen(FATHER))).json()["items"] == []
    assert (await town.ask("GET", path, town.officer("city"))).status_code == 200


async def test_lists_are_paged(town):
    await town.publish()
    await town.publish(MARRIAGE_TYPE)
    issued = [(await town.issue(MOTHER))["licence_id"] for _ in range(5)]
    await town.issue(MOTHER, FATHER, licence_type=MARRIAGE, face={"certificate_no": "J1"})
    seen, cursor = [], ""
    while cursor is not None:
        more = f"&cursor={cursor}" if cursor else ""
        answer = await town.ask("GET", f"/v1/licences?page_size=2&licence_type={ID_CARD}{more}", town.officer("police"))
        seen += [item["licence_id"] for item in answer.json()["items"]]
        cursor = answer.json()["next_cursor"]
    assert seen == issued[::-1]
    for wrong in ("cursor=nonsense", "page_size=0", "page_size=101", "licence_type=x"):
        assert (await town.ask("GET", f"/v1/licences?{wrong}", town.officer("police"))).status_code == 422


async def test_a_consent_is_its_holders(town):
    await town.publish()
    consent = await town.grant()
    path = f"/v1/consents/{consent['consent_id']}:withdraw"
    assert problem(await town.ask("POST", path, town.citizen(MOTHER))) == (404, "CONSENT_NOT_FOUND")
    assert (await town.ask("GET", "/v1/me/consents", town.citizen(MOTHER))).json()["items"] == []
    (listed,) = (await town.ask("GET", "/v1/me/consents", town.citizen(FATHER))).json()["items"]
    assert (listed["consent_id"], listed["withdrawn_at"]) == (consent["consent_id"], None)
    withdrawn = await town.ask("POST", path, town.citizen(FATHER))
    assert withdrawn.json()["withdrawn_at"] is not None
    assert problem(await town.ask("POST", path, town.citizen(FATHER))) == (409, "CONSENT_ALREADY_WITHDRAWN")


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"grantee_id": FATHER}, "CONSENT_TO_ONESELF"),
        ({"licence_types": [MARRIAGE]}, "LICENCE_TYPE_UNKNOWN"),
        ({"licence_types": []}, "REQUEST_INVALID"),
        ({"valid_until": "2026-11-22T00:00:00+08:00"}, "CONSENT_ALREADY_OVER"),
        ({"valid_until": "2026-12-22T00:00:00"}, "REQUEST_INVALID"),
        ({"matter_code": "a\u0000b"}, "REQUEST_UNREADABLE"),
    ],
)
async def test_a_consent_that_makes_no_sense(town, wrong, reason):
    await town.publish()
    body = {
        "grantee_id": STRANGER,
        "licence_types": [ID_CARD],
        "matter_code": "newborn",
        "valid_until": "2026-12-22T00:00:00+08:00",
    } | wrong
    answer = await town.ask("POST", "/v1/consents", town.citizen(FATHER), body)
    assert answer.json()["reason"] == reason
    assert (await town.ask("GET", "/v1/me/consents", town.citizen(FATHER))).json()["items"] == []


async def test_nothing_personal_lies_open_on_the_disk(town, rows):
    await town.publish()
    card = await town.issue(MOTHER)
    await town.ask("POST", f"/v1/licences/{card['licence_id']}:renew", town.officer("police"), {"version": 1})
    await town.void(card | {"version": 2})
    tables = await rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    for table in tables:
        for row in await rows(f'SELECT t::text AS line FROM "{table["tablename"]}" t'):
            for secret in ("370303190001010024", "李静", "虚假材料"):
                assert secret not in row["line"]
                assert secret.encode().hex() not in row["line"]


async def test_every_change_is_journalled_with_its_holder(town, rows):
    await town.publish()
    card = await town.issue(MOTHER)
    await town.void(card)
    await town.grant()
    acts = await rows("SELECT act, actor_id, owner_id FROM journal ORDER BY id")
    assert [tuple(row) for row in acts] == [
        ("verification.publish_licence_type", "admin", None),
        ("verification.issue_licence", "police", MOTHER),
        ("verification.void_licence", "police", MOTHER),
        ("verification.grant_consent", FATHER, FATHER),
    ]
