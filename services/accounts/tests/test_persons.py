"""Persons at the doors: registered once, masked, read for a purpose, and told who read."""

import base64

import pytest
from accounts import main
from common.errors import RemoteRefusal
from tongban.accounts.v1 import account_service_pb2 as pb

from .city import FATHER, PERSON, PURPOSE
from .conftest import KEYS

MASKED = {"name": "李*", "id_number": "370303********0024", "phone": "199****0001", "masked": True}


async def test_a_person_is_registered_once(city, facts):
    first = await city.register()
    again = await city.register()
    assert again == first
    assert first.items() >= MASKED.items()
    assert [fact.person_id for fact in await facts("PersonRegistered")] == [PERSON["person_id"]]


@pytest.mark.parametrize(
    "other",
    [
        {"name": "李敬"},
        {"phone": "19900000009"},
        {"proof_level": 2},
        {"id_number": FATHER["id_number"]},
        {"person_id": FATHER["person_id"]},
    ],
)
async def test_another_content_is_refused(city, other):
    await city.register()
    answer = await city.ask("POST", "/v1/persons", city.service(), PERSON | other)
    assert (answer.status_code, answer.json()["reason"]) == (409, "PERSON_ALREADY_REGISTERED")
    assert PERSON["id_number"] not in answer.text


async def test_without_an_id_the_number_tells_who_it_is(city):
    first = await city.register(person_id=None)
    assert (await city.register(person_id=None))["person_id"] == first["person_id"]


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"id_number": "370303190001010025"}, "ID_NUMBER_CHECK_FAILED"),
        ({"id_number": "370303190002300024"}, "ID_NUMBER_MALFORMED"),
        ({"phone": "12345"}, "PHONE_INVALID"),
        ({"proof_level": 5}, "REQUEST_INVALID"),
        ({"name": " "}, "REQUEST_INVALID"),
        ({"name": "李\x00静"}, "REQUEST_UNREADABLE"),
        ({"nickname": "静"}, "REQUEST_INVALID"),
    ],
)
async def test_bad_input_is_refused_and_not_repeated(city, rows, wrong, reason):
    answer = await city.ask("POST", "/v1/persons", city.service(), PERSON | wrong)
    assert (answer.status_code in (400, 422), answer.json()["reason"]) == (True, reason)
    assert "19000" not in answer.text
    assert await rows("SELECT * FROM persons") == []


async def test_a_number_on_record_that_fails_is_flagged(city):
    found = await city.register(id_number="370303190001010025", source="authority")
    assert found["number_flag"] == "check_failed"


async def test_the_same_request_gives_the_same_answer(city, rows):
    key = {"Idempotency-Key": "register-1"}
    first = await city.ask("POST", "/v1/persons", city.service(), PERSON | {"person_id": None}, **key)
    again = await city.ask("POST", "/v1/persons", city.service(), PERSON | {"person_id": None}, **key)
    assert again.json() == first.json()
    assert again.headers["Idempotency-Replayed"] == "true"
    other = await city.ask("POST", "/v1/persons", city.service(), FATHER, **key)
    assert other.json()["reason"] == "IDEMPOTENCY_KEY_REUSED"
    assert len(await rows("SELECT * FROM persons")) == 1


async def test_reading_needs_a_purpose_and_shows_a_mask(city):
    await city.register()
    refused = await city.read(purpose="")
    assert (refused.status_code, refused.json()["reason"]) == (422, "PURPOSE_MISSING")
    assert (await city.read()).json().items() >= MASKED.items()
    assert (await city.read("00000000-0000-7000-8000-00000000dead")).status_code == 404


async def test_who_may_reveal_sees_all_and_the_person_learns_of_it(city):
    await city.register()
    seen = (await city.read(by="revealer")).json()
    assert (seen["name"], seen["id_number"], seen["masked"]) == (PERSON["name"], PERSON["id_number"], False)
    await city.read()
    latest, before, registered = await city.access_log()
    assert latest == {
        "at": latest["at"],
        "act": "accounts.read_person",
        "organisation": "机构police",
        "post_title": "经办",
        "service": None,
        "purpose": PURPOSE,
        "in_full": False,
    }
    assert before["in_full"] is True
    assert (registered["act"], registered["service"]) == ("accounts.register_person", "demo-loader")


async def test_the_log_is_each_person_s_own(city):
    await city.register()
    await city.register(**FATHER)
    await city.read()
    acts = [entry["act"] for entry in await city.access_log(FATHER["person_id"])]
    assert acts == ["accounts.register_person"]


async def test_a_log_is_read_page_by_page(city):
    await city.register()
    for _ in range(3):
        await city.read()
    seen, cursor = [], None
    while True:
        query = f"?page_size=2&cursor={cursor}" if cursor else "?page_size=2"
        page = (await city.ask("GET", f"/v1/me/access-log{query}", city.citizen())).json()
        seen += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert len(seen) == 4
    broken = await city.ask("GET", "/v1/me/access-log?cursor=zzz", city.citizen())
    assert broken.json()["reason"] == "CURSOR_INVALID"


@pytest.mark.parametrize("typed", ["370303190001010024", "３７０３０３１９０００１０１００２４", "370303000101002"])
async def test_a_person_is_found_by_number(city, typed):
    await city.register()
    answer = await city.ask(
        "POST", "/v1/persons:search", city.officer("revealer"), {"id_number": typed}, purpose=PURPOSE
    )
    assert [person["person_id"] for person in answer.json()["items"]] == [PERSON["person_id"]]
    assert answer.json()["items"][0]["masked"] is True
    assert (await city.access_log())[0]["act"] == "accounts.search_person"


async def test_a_search_without_result_is_journalled_too(city, rows):
    body = {"id_number": FATHER["id_number"]}
    answer = await city.ask("POST", "/v1/persons:search", city.officer("reader"), body, purpose=PURPOSE)
    assert answer.json() == {"items": []}
    assert len(await rows("SELECT * FROM journal WHERE act = 'accounts.search_person'")) == 1
    without = await city.ask("POST", "/v1/persons:search", city.officer("reader"), body)
    assert without.json()["reason"] == "PURPOSE_MISSING"


async def test_a_citizen_is_told_who_he_is(city):
    await city.register()
    me = (await city.ask("GET", "/v1/me", city.citizen())).json()
    assert (me["kind"], me["person"]["name"], me["person"]["id_number"]) == ("citizen", "李静", MASKED["id_number"])
    assert len(await city.access_log()) == 1
    stranger = await city.ask("GET", "/v1/me", city.citizen("00000000-0000-7000-8000-00000000dead"))
    assert stranger.status_code == 404


async def test_services_read_many_at_once(city):
    await city.register()
    await city.register(**FATHER)
    request = pb.BatchGetPersonsRequest(
        person_ids=[PERSON["person_id"], FATHER["person_id"], "00000000-0000-7000-8000-00000000dead", "no id"],
        purpose=PURPOSE,
    )
    token = city.service("accounts:read_person", name="verification")
    found = (await city.call("BatchGetPersons", request, token)).persons
    assert sorted(person.name_masked for person in found) == ["张*", "李*"]
    latest = (await city.access_log(FATHER["person_id"]))[0]
    assert (latest["service"], latest["purpose"]) == ("verification", PURPOSE)
    for wrong, reason in (
        (pb.BatchGetPersonsRequest(person_ids=[PERSON["person_id"]]), "PURPOSE_MISSING"),
        (pb.BatchGetPersonsRequest(person_ids=["x"] * 201, purpose=PURPOSE), "TOO_MANY_ASKED"),
    ):
        with pytest.raises(RemoteRefusal) as refused:
            await city.call("BatchGetPersons", wrong, token)
        assert refused.value.reason == reason


async def test_nothing_personal_lies_open(city, rows):
    await city.register()
    await city.read(by="revealer")
    await city.ask(
        "POST", "/v1/persons:search", city.officer("reader"), {"id_number": PERSON["id_number"]}, purpose=PURPOSE
    )
    for table in ("persons", "employees", "journal", "outbox", "idempotency"):
        lying = "".join(str(tuple(row)) + _bytes(row) for row in await rows(f"SELECT * FROM {table}"))
        assert lying
        for secret in (PERSON["name"], PERSON["id_number"], PERSON["phone"], "孙立"):
            assert secret not in lying, (table, secret)


def _bytes(row):
    return "".join(value.decode(errors="replace") for value in row if isinstance(value, bytes))


async def test_after_a_rotation_old_and_new_are_read(city, settings, open_house):
    await city.register()
    both = KEYS | {"k2": base64.b64encode(b"3" * 32).decode()}
    living = await open_house(main.opened, main.house, settings(data_keys=both), parts=("doors",))
    rotated = type(city)(living, city.issuer, city.clock)
    await rotated.register(**FATHER)
    for person in (PERSON, FATHER):
        seen = (await rotated.read(person["person_id"], by="revealer")).json()
        assert (seen["name"], seen["id_number"]) == (person["name"], person["id_number"])
