"""A proof of who somebody is ages: the level falls when it is too old, and a new proof lifts it again."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from accounts.domain.identity import Source
from accounts.domain.person import Ageing, ProofLevel, ProofWeakerThanHeld, prove, register
from common.testing import Clock
from hypothesis import given
from hypothesis import strategies as st
from tongban.accounts.v1 import account_service_pb2 as pb

from .city import PERSON, PURPOSE, _id

LASTS = timedelta(days=365)
PROVE = f"persons/{PERSON['person_id']}:prove"


async def level(city):
    """What the person, an officer and another service are told."""
    me = (await city.ask("GET", "/v1/me", city.citizen())).json()["person"]
    read = (await city.read(purpose=PURPOSE)).json()
    asked = pb.BatchGetPersonsRequest(person_ids=[PERSON["person_id"]], purpose=PURPOSE)
    (found,) = (await city.call("BatchGetPersons", asked, city.service())).persons
    assert me["proof_level"] == read["proof_level"] == found.proof_level
    obtained_at = datetime.fromisoformat(me["proof_obtained_at"])
    assert obtained_at == found.proof_obtained_at.ToDatetime(UTC).replace(microsecond=obtained_at.microsecond)
    assert me["proof_expires_at"] == read["proof_expires_at"]
    return found.proof_level, me["proof_expires_at"]


async def test_a_proof_lasts_as_long_as_is_set_and_is_given_anew(city, clock, rows):
    await city.register()
    began = clock()
    assert await level(city) == (3, f"{(began + LASTS).astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}")
    clock.advance(LASTS - timedelta(seconds=1))
    assert (await level(city))[0] == 3
    clock.advance(timedelta(seconds=1))
    assert (await level(city))[0] == 2
    # the same registration again is still the same: what was proven then, was proven then
    assert (await city.register())["proof_level"] == 2
    proven = await city.tell(PROVE, {"proof_level": 3})
    assert proven["proof_level"] == 3
    assert await level(city) == (3, f"{(clock() + LASTS).astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}")
    (kept,) = await rows("SELECT owner_id, details FROM journal WHERE act = 'accounts.prove_person'")
    assert kept["owner_id"] == PERSON["person_id"]
    assert PERSON["name"] not in str(kept["details"])


async def test_a_weaker_proof_takes_nothing_away(city):
    await city.register()
    refused = await city.ask("POST", f"/v1/{PROVE}", city.service(), {"proof_level": 2})
    assert (refused.status_code, refused.json()["reason"]) == (409, "PROOF_WEAKER_THAN_HELD")
    assert refused.json()["detail"] == "此人已有第 3 级实名核验，不能以更低等级登记"
    unknown = await city.ask("POST", f"/v1/persons/{_id(9)}:prove", city.service(), {"proof_level": 2})
    assert (unknown.status_code, unknown.json()["reason"]) == (404, "PERSON_NOT_FOUND")
    for wrong in ({}, {"proof_level": 5}, {"proof_level": "high"}, {"proof_level": 3, "at": "2020-01-01"}):
        assert (await city.ask("POST", f"/v1/{PROVE}", city.service(), wrong)).status_code == 422


async def test_two_proofs_at_once_never_leave_the_weaker(city):
    await city.register()
    answers = await asyncio.gather(
        *(city.ask("POST", f"/v1/{PROVE}", city.service(), {"proof_level": level}) for level in (3, 4, 3, 4))
    )
    assert {each.status_code for each in answers} <= {200, 409}
    best = max((each.json()["proof_level"] for each in answers if each.status_code == 200), default=0)
    assert (await level(city))[0] == best


@given(
    proven=st.sampled_from(ProofLevel),
    lasts=st.dictionaries(st.sampled_from(ProofLevel), st.timedeltas(timedelta(minutes=1), timedelta(days=999))),
    age=st.timedeltas(timedelta(), timedelta(days=2000)),
    anew=st.sampled_from(ProofLevel),
)
def test_age_takes_a_level_away_but_never_the_name(proven, lasts, age, anew):
    began = Clock()()
    given = {"name": "李静", "id_number": PERSON["id_number"], "phone": None, "proof_level": proven}
    person = register(_id(1), **given, source=Source.STATED, at=began)
    ageing = Ageing(lasts, began + age)
    held = ageing.level(person)
    assert min(proven, ProofLevel.REAL_NAME) <= held <= proven
    if proven not in lasts or age < lasts[proven]:
        assert held == proven
    if anew < held:
        with pytest.raises(ProofWeakerThanHeld):
            prove(person, anew, ageing)
        return
    assert ageing.level(prove(person, anew, ageing)) == anew
