"""Duplicates become one person on the word of two officers; the old id goes on naming the person."""

import asyncio
from datetime import timedelta

import pytest
from accounts.usecases.states import tell_log_in_server
from tongban.accounts.v1 import account_service_pb2 as pb

from .city import CHILD, FATHER, OFFICERS, PERSON, PURPOSE

COMPANY = {"uscc": "91370303MA9TEW0118", "name": "张店区静心茶行有限公司"}
GROUNDS = "户籍底册与本人到场核验：两条记录为同一人，旧号系录入错误"


def reason(answer):
    return answer.status_code, answer.json()["reason"]


@pytest.fixture
async def twice(city):
    """Li Jing, who is registered twice: once under a number that an authority recorded wrongly."""
    for person in (PERSON, FATHER, CHILD):
        await city.register(**person)
    other = await city.register_another(7)
    return Twice(city, other["person_id"])


class Twice:
    def __init__(self, city, other):
        self.city, self.other = city, other

    async def request(self, by="chief", **body):
        asked = {"surviving_id": PERSON["person_id"], "merged_id": self.other, "grounds": GROUNDS} | body
        return await self.city.ask("POST", "/v1/mergers", self.city.officer(by), asked)

    async def decide(self, merger, verb="confirm", by="mayor"):
        return await self.city.ask("POST", f"/v1/mergers/{merger['merger_id']}:{verb}", self.city.officer(by))

    async def merge(self):
        decided = await self.decide((await self.request()).json())
        assert decided.status_code == 200, decided.text
        return decided.json()


async def test_two_officers_make_one_person_of_two_records(twice, facts, rows):
    city, old, new = twice.city, twice.other, PERSON["person_id"]
    # what is the duplicate's: a child, a company, an agency
    guarding = {"guardian_id": old, "ward_id": CHILD["person_id"], "basis": "parent", "proof": "出生医学证明"}
    await city.tell("guardianships", guarding)
    await city.tell("legal-persons", COMPANY | {"representative_id": old})
    merged = await twice.merge()
    assert (merged["state"], merged["requested_by"], merged["decided_by"]) == (
        "confirmed",
        OFFICERS["chief"][0],
        OFFICERS["mayor"][0],
    )
    # the account is closed, and the old id names the survivor
    assert reason(await city.ask("GET", "/v1/me", city.citizen(old))) == (403, "ACCOUNT_CLOSED")
    for asked in (old, new):
        assert (await city.read(asked)).json()["person_id"] == new
    found = await city.call("BatchGetPersons", pb.BatchGetPersonsRequest(person_ids=[old], purpose="x"), city.service())
    assert [person.person_id for person in found.persons] == [new]
    me = (await city.ask("GET", "/v1/me", city.citizen())).json()
    assert [ward["person"]["person_id"] for ward in me["wards"]] == [CHILD["person_id"]]
    (company,) = (await city.ask("GET", "/v1/me/legal-persons", city.citizen())).json()["items"]
    assert company["as_representative"]
    (fact,) = await facts("PersonsMerged")
    assert (fact.merged_id, fact.surviving_id) == (old, new)
    assert [closed.account_id for closed in await facts("AccountClosed")] == [old]
    # who did what stays as it was written, under the ids of then
    acts = await rows("SELECT act, owner_id, actor_id FROM journal WHERE subject_kind = 'merger'")
    assert {(act["act"], act["owner_id"]) for act in acts} == {
        (f"accounts.{verb}_merger", person) for verb in ("request", "confirm") for person in (old, new)
    }
    assert not [row for row in await rows("SELECT grounds FROM mergers") if GROUNDS.encode() in row["grounds"]]


async def test_one_officer_is_not_enough(twice, rows):
    asked = (await twice.request()).json()
    for verb in ("confirm", "decline"):
        assert reason(await twice.decide(asked, verb, by="chief")) == (403, "SECOND_OFFICER_NEEDED")
    assert (await twice.decide(asked, "decline")).json()["state"] == "declined"
    assert reason(await twice.decide(asked)) == (409, "MERGER_ALREADY_DECIDED")
    assert await rows("SELECT 1 FROM persons WHERE merged_into IS NOT NULL") == []
    # after that it can be asked anew
    assert (await twice.request()).status_code == 200


async def test_two_who_confirm_at_once_confirm_once(twice, facts):
    asked = (await twice.request()).json()
    answers = await asyncio.gather(*(twice.decide(asked) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
    assert len(await facts("PersonsMerged")) == 1


async def test_what_cannot_be_merged(twice):
    city, old = twice.city, twice.other
    assert reason(await twice.request(merged_id=PERSON["person_id"])) == (409, "MERGER_OF_ONE_PERSON")
    assert reason(await twice.request(merged_id=OFFICERS["chief"][0])) == (422, "PERSON_UNKNOWN")
    guarding = {"guardian_id": PERSON["person_id"], "ward_id": CHILD["person_id"], "basis": "parent", "proof": "出生证"}
    await city.tell("guardianships", guarding)
    assert reason(await twice.request(merged_id=CHILD["person_id"])) == (409, "MERGER_OF_WARD")
    await city.tell(f"accounts/person/{old}:suspend", {"reason": "核实"})
    assert reason(await twice.request()) == (409, "ACCOUNT_NOT_ACTIVE")
    await city.tell(f"accounts/person/{old}:reactivate", {"reason": "核实"})
    asked = (await twice.request()).json()
    assert reason(await twice.request(surviving_id=FATHER["person_id"])) == (409, "MERGER_ALREADY_REQUESTED")
    # what changed before the second officer looked counts
    await city.tell(f"accounts/person/{old}:suspend", {"reason": "核实"})
    assert reason(await twice.decide(asked)) == (409, "ACCOUNT_NOT_ACTIVE")
    await city.tell(f"accounts/person/{old}:reactivate", {"reason": "核实"})
    assert (await twice.decide(asked)).status_code == 200
    assert reason(await twice.request(surviving_id=FATHER["person_id"])) == (409, "PERSON_ALREADY_MERGED")
    # nothing new is hung on the old id
    appointing = {"agent_id": old, "valid_until": "2027-01-01T00:00:00Z"}
    tea = await city.tell("legal-persons", COMPANY | {"representative_id": FATHER["person_id"]})
    path = f"/v1/legal-persons/{tea['legal_person_id']}/agents"
    father = city.citizen(FATHER["person_id"], acr=2)
    assert reason(await city.ask("POST", path, father, appointing)) == (422, "PERSON_UNKNOWN")


async def test_a_survivor_that_is_merged_in_turn_takes_all_along(twice):
    city = twice.city
    await twice.merge()
    third = (await city.register_another(8))["person_id"]
    asked = (await twice.request(surviving_id=third, merged_id=PERSON["person_id"])).json()
    assert (await twice.decide(asked)).status_code == 200
    for old in (twice.other, PERSON["person_id"]):
        assert (await city.read(old)).json()["person_id"] == third


async def test_the_log_in_of_the_duplicate_names_the_survivor(twice):
    class LogIns:
        def __init__(self):
            self.told = []

        async def __aenter__(self):
            return self

        async def __aexit__(self, *_):
            pass

        async def relink(self, realm, attribute, identity, other):
            self.told.append((realm, attribute, identity, other))

    await twice.merge()
    server, store = LogIns(), twice.city.living.app.store
    assert await tell_log_in_server(store, lambda: server) == 1
    assert server.told == [("citizen", "person_id", twice.other, PERSON["person_id"])]
    assert await tell_log_in_server(store, lambda: server) == 0


async def test_grounds_are_read_for_a_purpose(twice):
    city = twice.city
    merger = await twice.merge()
    path = f"/v1/mergers/{merger['merger_id']}"
    assert reason(await city.ask("GET", path, city.officer("mayor"))) == (422, "PURPOSE_MISSING")
    read = (await city.ask("GET", path, city.officer("mayor"), purpose=PURPOSE)).json()
    assert read["grounds"] == GROUNDS
    lines = (await city.ask("GET", "/v1/mergers?state=confirmed", city.officer("mayor"))).json()["items"]
    assert [line["merger_id"] for line in lines] == [merger["merger_id"]]
    assert "grounds" not in lines[0]
    city.clock.advance(timedelta(seconds=1))
    assert "accounts.confirm_merger" in {entry["act"] for entry in await city.access_log()}
