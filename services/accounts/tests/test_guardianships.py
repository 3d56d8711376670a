"""Guardians at the doors: registered by an officer, seen by both, over when the child comes of age."""

from datetime import UTC, datetime, timedelta

import pytest
from accounts.domain.guardianship import comes_of_age
from accounts.domain.person import CHINA
from hypothesis import given
from hypothesis import strategies as st
from tongban.accounts.v1 import account_service_pb2 as pb

from .city import CHILD, FATHER, PERSON, PURPOSE

MAJORITY = "2027-05-01T16:00:00Z"
GUARDIANSHIP = {
    "guardianship_id": "00000000-0000-7000-8000-000000000501",
    "guardian_id": PERSON["person_id"],
    "ward_id": CHILD["person_id"],
    "basis": "parent",
    "proof": "出生医学证明 S370000001",
}


@pytest.fixture
async def family(city):
    for person in (PERSON, FATHER, CHILD):
        await city.register(**person)
    return city


async def related(city, *persons, by=PERSON):
    request = pb.CheckRelationsRequest(person_ids=[person["person_id"] for person in persons])
    found = (await city.call("CheckRelations", request, city.citizen(by["person_id"]))).relations
    return [(each.person_id, each.guardianship_id) for each in found]


async def test_a_guardian_is_registered_once(family, facts):
    first = await family.tell("guardianships", GUARDIANSHIP, family.officer("mayor"))
    assert datetime.fromisoformat(first["valid_until"]) == datetime.fromisoformat(MAJORITY)
    family.clock.advance(timedelta(hours=1))
    assert await family.tell("guardianships", GUARDIANSHIP, family.officer("mayor")) == first
    other = await family.ask(
        "POST", "/v1/guardianships", family.officer("mayor"), GUARDIANSHIP | {"basis": "appointed"}
    )
    assert (other.status_code, other.json()["reason"]) == (409, "GUARDIANSHIP_ALREADY_REGISTERED")
    (fact,) = await facts("GuardianshipChanged")
    assert (fact.guardian_id, fact.ward_id, fact.version) == (PERSON["person_id"], CHILD["person_id"], 1)


async def test_a_guardian_is_told_whom_he_acts_for(family):
    await family.tell("guardianships", GUARDIANSHIP)
    (ward,) = (await family.ask("GET", "/v1/me", family.citizen())).json()["wards"]
    assert (ward["person"]["name"], ward["person"]["id_number"]) == ("张**", "370303********0015")
    who = await family.call("WhoAmI", pb.WhoAmIRequest(), family.citizen())
    assert who.wards[0].person_id == CHILD["person_id"]
    assert who.wards[0].valid_until.ToJsonString() == MAJORITY
    assert (await family.ask("GET", "/v1/me", family.citizen(FATHER["person_id"]))).json()["wards"] == []
    for person in (PERSON, CHILD):
        assert (await family.access_log(person["person_id"]))[0]["act"] == "accounts.register_guardianship"


async def test_a_guardian_s_right_is_told_to_services(family):
    await family.tell("guardianships", GUARDIANSHIP)
    right = (CHILD["person_id"], GUARDIANSHIP["guardianship_id"])
    assert await related(family, CHILD, FATHER) == [right]
    assert await related(family, FATHER) == []
    assert await related(family, CHILD, by=FATHER) == []
    # Each parent has a right of his or her own.
    both = GUARDIANSHIP | {"guardianship_id": None, "guardian_id": FATHER["person_id"]}
    await family.tell("guardianships", both)
    assert [person for person, _ in await related(family, CHILD, by=FATHER)] == [CHILD["person_id"]]


async def test_it_is_over_when_the_child_comes_of_age(family):
    await family.tell("guardianships", GUARDIANSHIP)
    family.clock.set(datetime(2027, 5, 1, 15, 59, tzinfo=UTC))
    assert await related(family, CHILD)
    family.clock.set(datetime(2027, 5, 1, 16, 0, tzinfo=UTC))
    assert await related(family, CHILD) == []
    assert (await family.ask("GET", "/v1/me", family.citizen())).json()["wards"] == []
    late = await family.ask("POST", "/v1/guardianships", family.service(), GUARDIANSHIP | {"guardianship_id": None})
    assert (late.status_code, late.json()["reason"]) == (409, "WARD_OF_AGE")


async def test_an_officer_ends_it(family, facts):
    await family.tell("guardianships", GUARDIANSHIP)
    path = f"guardianships/{GUARDIANSHIP['guardianship_id']}:end"
    family.clock.advance(timedelta(days=1))
    assert (await family.tell(path, None, family.officer("mayor")))["version"] == 2
    assert await related(family, CHILD) == []
    again = await family.ask("POST", f"/v1/{path}", family.officer("mayor"))
    assert (again.status_code, again.json()["reason"]) == (409, "GUARDIANSHIP_ALREADY_ENDED")
    assert [fact.version for fact in await facts("GuardianshipChanged")] == [1, 2]
    unknown = await family.ask("POST", f"/v1/guardianships/{PERSON['person_id']}:end", family.officer("mayor"))
    assert (unknown.status_code, unknown.json()["reason"]) == (404, "GUARDIANSHIP_NOT_FOUND")
    read = f"/v1/persons/{CHILD['person_id']}/guardianships"
    (kept,) = (await family.ask("GET", read, family.officer("mayor"), purpose=PURPOSE)).json()["items"]
    assert (kept["proof"], kept["version"]) == (GUARDIANSHIP["proof"], 2)
    assert (await family.ask("GET", read, family.officer("mayor"))).json()["reason"] == "PURPOSE_MISSING"
    assert (await family.access_log(CHILD["person_id"]))[0]["act"] == "accounts.list_guardianships"


@pytest.mark.parametrize(
    ("wrong", "status", "reason"),
    [
        ({"ward_id": PERSON["person_id"]}, 409, "GUARDIAN_OF_ONESELF"),
        ({"ward_id": FATHER["person_id"]}, 409, "WARD_OF_AGE"),
        ({"guardian_id": CHILD["person_id"], "ward_id": FATHER["person_id"]}, 409, "GUARDIAN_UNDER_AGE"),
        ({"valid_until": "2020-01-01T00:00:00Z"}, 409, "GUARDIANSHIP_ENDS_BEFORE_IT_BEGINS"),
        ({"guardian_id": "00000000-0000-7000-8000-00000000dead"}, 422, "PERSON_UNKNOWN"),
        ({"basis": "friend"}, 422, "REQUEST_INVALID"),
        ({"proof": " "}, 422, "REQUEST_INVALID"),
    ],
)
async def test_what_cannot_be_is_refused(family, rows, wrong, status, reason):
    answer = await family.ask("POST", "/v1/guardianships", family.officer("mayor"), GUARDIANSHIP | wrong)
    assert (answer.status_code, answer.json()["reason"]) == (status, reason)
    assert await rows("SELECT * FROM guardianships") == []


async def test_the_proof_lies_sealed(family, rows):
    await family.tell("guardianships", GUARDIANSHIP)
    (row,) = await rows("SELECT proof FROM guardianships")
    assert GUARDIANSHIP["proof"].encode() not in row["proof"]


@pytest.mark.parametrize(
    ("born", "majority"),
    [("2009-05-01", "2027-05-02"), ("2008-02-29", "2026-03-01"), ("2009-12-31", "2028-01-01")],
)
def test_full_age_begins_the_day_after_the_birthday(born, majority):
    moment = comes_of_age(datetime.fromisoformat(born).date())
    assert moment.astimezone(CHINA).isoformat() == f"{majority}T00:00:00+08:00"


@given(st.dates(min_value=datetime(1900, 1, 1, tzinfo=UTC).date(), max_value=datetime(2100, 1, 1, tzinfo=UTC).date()))
def test_full_age_takes_eighteen_years(born):
    lived = comes_of_age(born).astimezone(CHINA).date() - born
    assert timedelta(days=18 * 365 + 4) <= lived <= timedelta(days=18 * 365 + 6)
