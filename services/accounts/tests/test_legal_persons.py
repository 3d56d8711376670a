"""Legal persons at the doors: registered with a representative, who appoints agents for a range and a time."""

from datetime import timedelta

import pytest
from common.errors import RemoteRefusal
from tongban.accounts.v1 import account_service_pb2 as pb

from .city import CHILD, FATHER, PERSON

TEA = {
    "legal_person_id": "00000000-0000-7000-8000-000000000601",
    "uscc": "91370303MA9TEW0118",
    "name": "张店区静心茶行有限公司",
    "representative_id": PERSON["person_id"],
}


def reason(answer):
    return answer.status_code, answer.json()["reason"]


@pytest.fixture
async def trade(city):
    for person in (PERSON, FATHER, CHILD):
        await city.register(**person)
    await city.tell("legal-persons", TEA, city.officer("mayor"))
    return city


def appointing(city, days=30, **other):
    until = (city.clock() + timedelta(days=days)).isoformat()
    return {"agent_id": FATHER["person_id"], "matters": ["shop"], "items": [], "valid_until": until} | other


async def appoint(city, by=PERSON, **other):
    path = f"/v1/legal-persons/{TEA['legal_person_id']}/agents"
    return await city.ask("POST", path, city.citizen(by["person_id"], acr=2), appointing(city, **other))


async def check(city, person, matter="shop", item="", uscc=TEA["uscc"]):
    request = pb.CheckAgentRequest(uscc=uscc, matter_code=matter, item_code=item)
    return await city.call("CheckAgent", request, city.citizen(person["person_id"]))


async def refused(city, *asked, **how):
    with pytest.raises(RemoteRefusal) as told:
        await check(city, *asked, **how)
    return told.value.reason == "AGENT_NOT_ENTITLED"


async def test_a_legal_person_is_registered_once(trade, facts):
    again = await trade.tell("legal-persons", TEA | {"legal_person_id": None}, trade.officer("mayor"))
    assert (again["legal_person_id"], again["uscc_doubtful"]) == (TEA["legal_person_id"], False)
    other = await trade.ask("POST", "/v1/legal-persons", trade.officer("mayor"), TEA | {"name": "别的茶行"})
    assert reason(other) == (409, "LEGAL_PERSON_ALREADY_REGISTERED")
    assert [fact.legal_person_id for fact in await facts("LegalPersonRegistered")] == [TEA["legal_person_id"]]
    wrong = TEA | {"uscc": "91350100M000100Y44", "legal_person_id": None}
    assert reason(await trade.ask("POST", "/v1/legal-persons", trade.service(), wrong)) == (422, "USCC_INVALID")
    # A code that fits but for its seventeenth character is a warning.
    doubtful = {"uscc": "11370300MB28560647", "name": "甲", "representative_id": FATHER["person_id"]}
    assert (await trade.tell("legal-persons", doubtful))["uscc_doubtful"] in (True, False)
    nobody = doubtful | {"uscc": "91371102MA9TEW02XK", "representative_id": TEA["legal_person_id"]}
    assert reason(await trade.ask("POST", "/v1/legal-persons", trade.service(), nobody)) == (422, "PERSON_UNKNOWN")


async def test_an_agent_acts_within_the_range_and_the_time(trade, rows, facts):
    assert (await check(trade, PERSON)).agency_id == ""
    assert await refused(trade, FATHER)
    agency = (await appoint(trade, items=["register_shop"])).json()
    found = await check(trade, FATHER, item="register_shop")
    assert (found.legal_person_id, found.agency_id) == (TEA["legal_person_id"], agency["agency_id"])
    assert await refused(trade, FATHER, item="close_shop")
    assert await refused(trade, FATHER, matter="newborn", item="register_shop")
    assert await refused(trade, CHILD, item="register_shop")
    assert await refused(trade, FATHER, item="register_shop", uscc="91371102MA9TEW02XK")
    (act,) = await rows("SELECT actor_id, details FROM journal WHERE act = 'accounts.check_agent' AND actor_id = $1",
                        FATHER["person_id"])  # fmt: skip
    assert TEA["uscc"] in act["details"]
    trade.clock.advance(timedelta(days=30))
    assert await refused(trade, FATHER, item="register_shop")
    assert [fact.agent_id for fact in await facts("AgentChanged")] == [FATHER["person_id"]]


async def test_the_reach_of_an_agent_by_the_id_of_the_legal_person(trade):
    async def reach(person, matter=""):
        request = pb.CheckAgentRequest(legal_person_id=TEA["legal_person_id"], matter_code=matter)
        found = await trade.call("CheckAgent", request, trade.citizen(person["person_id"]))
        return found.uscc, found.all_matters, list(found.matters)

    assert await reach(PERSON) == (TEA["uscc"], True, [])
    await appoint(trade, items=["register_shop"])
    # one item of a matter is not the matter
    with pytest.raises(RemoteRefusal):
        await reach(FATHER)
    await appoint(trade, matters=["shop", "tax"])
    last = (await appoint(trade, matters=["shop"])).json()
    assert await reach(FATHER) == (TEA["uscc"], False, ["shop", "tax"])
    assert await reach(FATHER, "tax") == (TEA["uscc"], False, ["shop", "tax"])
    everything = (await appoint(trade, matters=[])).json()
    assert await reach(FATHER) == (TEA["uscc"], True, [])
    for agency in (everything, last):
        path = f"/v1/legal-persons/{TEA['legal_person_id']}/agents/{agency['agency_id']}:revoke"
        assert (await trade.ask("POST", path, trade.citizen(acr=2))).status_code == 200
    assert await reach(FATHER) == (TEA["uscc"], False, ["shop", "tax"])
    for nobody in (pb.CheckAgentRequest(legal_person_id="x"), pb.CheckAgentRequest()):
        with pytest.raises(RemoteRefusal):
            await trade.call("CheckAgent", nobody, trade.citizen())


async def test_each_sees_the_own_part(trade):
    agency = (await appoint(trade)).json()
    for person, represents in ((PERSON, True), (FATHER, False)):
        (mine,) = (await trade.ask("GET", "/v1/me/legal-persons", trade.citizen(person["person_id"]))).json()["items"]
        assert (mine["as_representative"], mine["agencies"]) == (represents, [agency])
    assert (await trade.ask("GET", "/v1/me/legal-persons", trade.citizen(CHILD["person_id"]))).json() == {"items": []}


async def test_the_representative_takes_it_back(trade):
    agency = (await appoint(trade)).json()
    path = f"/v1/legal-persons/{TEA['legal_person_id']}/agents/{agency['agency_id']}:revoke"
    foreign = await trade.ask("POST", path, trade.citizen(FATHER["person_id"], acr=2))
    assert reason(foreign) == (404, "LEGAL_PERSON_NOT_FOUND")
    mine = trade.citizen(acr=2)
    assert (await trade.ask("POST", path, mine)).json()["version"] == 2
    assert await refused(trade, FATHER)
    assert reason(await trade.ask("POST", path, mine)) == (409, "AGENCY_ALREADY_OVER")
    unknown = path.replace(agency["agency_id"], CHILD["person_id"])
    assert reason(await trade.ask("POST", unknown, mine)) == (404, "AGENCY_NOT_FOUND")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"agent_id": PERSON["person_id"]}, (409, "AGENT_IS_REPRESENTATIVE")),
        ({"days": -1}, (409, "AGENCY_ENDS_BEFORE_IT_BEGINS")),
        ({"agent_id": TEA["legal_person_id"]}, (422, "PERSON_UNKNOWN")),
        ({"by": FATHER}, (404, "LEGAL_PERSON_NOT_FOUND")),
        ({"matters": ["x y"]}, (422, "REQUEST_INVALID")),
    ],
)
async def test_who_cannot_be_appointed(trade, rows, wrong, said):
    assert reason(await appoint(trade, **wrong)) == said
    assert await rows("SELECT * FROM agencies") == []
