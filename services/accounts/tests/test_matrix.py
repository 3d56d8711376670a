"""Every door of this service, tried by everybody who may not."""

from urllib.parse import quote

import httpx
from common.testing import Door, Matrix, Stranger, Who

from .city import BODIES, CHILD, FATHER, OFFICERS, PERSON, PURPOSE

SUPPOSED = {"title": "经办", "permissions": []}


def undoing(city, noun, body, undone, token=None):
    """Make one thing after the other, each to be undone by the verb."""
    key, verb = undone.split(":")

    async def given():
        return f"/v1/{noun}/{(await city.tell(noun, body, token))[key]}:{verb}", None

    return given


def merging(city, serial):
    """Register somebody twice."""

    async def given():
        both = [(await city.register_another(next(serial)))["person_id"] for _ in range(2)]
        return "/v1/mergers", {"surviving_id": both[0], "merged_id": both[1], "grounds": "同一人"}

    return given


def deciding(city, serial, verb, token):
    """Ask for one merger after the other, each to be decided on."""

    async def given():
        asked = await city.tell("mergers", (await merging(city, serial)())[1], token)
        return f"/v1/mergers/{asked['merger_id']}:{verb}", None

    return given


async def test_only_who_may_is_let_in(city):
    await city.register()
    await city.register(**CHILD)
    await city.register(**FATHER)
    mayor, chief = Who("mayor", city.officer("mayor")), Who("chief", city.officer("chief"))
    reader, citizen = Who("reader", city.officer("reader")), Who("citizen", city.citizen())
    elsewhere = Who("chief of another district", city.officer("zichuan_chief"))
    purpose = {"X-Purpose": quote(PURPOSE)}
    health, employee_id = BODIES["health"][0], OFFICERS["reader"][0]
    serial = iter(range(1, 900))

    async def founding():
        body = {"parent_id": BODIES["zhangdian"][0], "code": f"office{next(serial)}", "name": "科室"}
        return "/v1/organisations", body | {"uscc": "12370303MB9TD0063Q", "region_code": "370303"}

    async def giving():
        return "/v1/posts", SUPPOSED | {"employee_id": employee_id, "org_id": health}

    async def ending():
        post = await city.tell("posts", (await giving())[1])
        return f"/v1/posts/{post['post_id']}:end", None

    guarding = {"guardian_id": PERSON["person_id"], "ward_id": CHILD["person_id"], "basis": "parent", "proof": "出生证"}

    unguarding = undoing(city, "guardianships", guarding, "guardianship_id:end")

    async def ranking():
        return f"/v1/posts/{(await city.tell('posts', (await giving())[1]))['post_id']}:rank", {"rank": 3}

    revealer = Who("revealer", city.officer("revealer"))
    lending = {"delegate_id": OFFICERS["powerless"][0], "valid_until": "2027-01-01T00:00:00Z"}

    taking_back = undoing(city, "delegations", lending, "delegation_id:revoke", revealer.token)

    why = {"reason": "核实身份"}

    def judging(verb, *, first=None):
        async def given():
            body = {"name": "新人", "org_id": health}
            account = f"accounts/employee/{(await city.tell('employees', body))['employee_id']}"
            if first:
                await city.tell(f"{account}:{first}", why)
            return f"/v1/{account}:{verb}", why

        return given

    tea = {"uscc": "91370303MA9TEW0118", "name": "静心茶行", "representative_id": PERSON["person_id"]}
    agents = f"legal-persons/{(await city.tell('legal-persons', tea))['legal_person_id']}/agents"
    appointing = {"agent_id": FATHER["person_id"], "valid_until": "2027-01-01T00:00:00Z"}
    representative = Who("representative", city.citizen(acr=2))
    father = Who("father", city.citizen(FATHER["person_id"], acr=2))
    revoking = undoing(city, agents, appointing, "agency_id:revoke", representative.token)

    merger = await city.tell("mergers", (await merging(city, serial)())[1], chief.token)
    mergers = [
        Door("POST", "/v1/mergers", mayor, given=merging(city, serial)),
        Door("GET", "/v1/mergers", mayor),
        Door("GET", f"/v1/mergers/{merger['merger_id']}", mayor, headers=purpose),
        *(
            Door(
                "POST",
                f"/v1/mergers/x:{verb}",
                mayor,
                given=deciding(city, serial, verb, chief.token),
                strangers=[Stranger(chief, 403)],
            )
            for verb in ("confirm", "decline")
        ),
    ]

    doors = [
        *mergers,
        Door("GET", "/v1/me", reader),
        Door("GET", "/v1/me/access-log", citizen),
        Door("POST", "/v1/persons", mayor, PERSON),
        Door("GET", f"/v1/persons/{PERSON['person_id']}", reader, headers=purpose),
        Door("POST", f"/v1/persons/{PERSON['person_id']}:prove", mayor, {"proof_level": 3}),
        Door("POST", "/v1/persons:search", reader, {"id_number": PERSON["id_number"]}, headers=purpose),
        Door("POST", "/v1/guardianships", mayor, guarding),
        Door("GET", f"/v1/persons/{PERSON['person_id']}/guardianships", mayor, headers=purpose),
        Door("POST", "/v1/guardianships/x:end", mayor, given=unguarding),
        Door("POST", "/v1/organisations", chief, given=founding, strangers=[Stranger(elsewhere, 422)]),
        Door("GET", "/v1/organisations", reader),
        Door("GET", f"/v1/organisations/{health}", reader),
        Door("POST", "/v1/employees", chief, {"name": "新人", "org_id": health}, strangers=[Stranger(elsewhere, 422)]),
        Door("GET", "/v1/employees", chief),
        Door("GET", f"/v1/employees/{employee_id}", chief, strangers=[Stranger(elsewhere)]),
        Door("POST", "/v1/posts", chief, given=giving, strangers=[Stranger(elsewhere, 422)]),
        Door("GET", f"/v1/accounts/employee/{employee_id}", chief, strangers=[Stranger(elsewhere)]),
        Door("POST", "/v1/accounts/x/x:suspend", chief, given=judging("suspend"), strangers=[Stranger(elsewhere)]),
        Door(
            "POST",
            "/v1/accounts/x/x:reactivate",
            chief,
            given=judging("reactivate", first="suspend"),
            strangers=[Stranger(elsewhere)],
        ),
        Door("POST", "/v1/accounts/x/x:close", chief, given=judging("close"), strangers=[Stranger(elsewhere)]),
        Door("POST", "/v1/legal-persons", mayor, tea),
        Door("GET", "/v1/me/legal-persons", citizen),
        Door("POST", f"/v1/{agents}", representative, appointing, strangers=[Stranger(father)]),
        Door("POST", f"/v1/{agents}/x:revoke", representative, given=revoking, strangers=[Stranger(father)]),
        Door("POST", "/v1/posts/x:rank", chief, given=ranking, strangers=[Stranger(elsewhere)]),
        Door("POST", "/v1/delegations", revealer, lending),
        Door("GET", "/v1/delegations", revealer),
        Door("POST", "/v1/delegations/x:revoke", revealer, given=taking_back, strangers=[Stranger(chief)]),
        Door("POST", "/v1/posts/x:end", chief, given=ending, strangers=[Stranger(elsewhere)]),
    ]
    # A client of the test's own: the usual one adds the key that is left out here on purpose.
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{city.living.ports.http}", trust_env=False) as http:
        powerless = Who("powerless", city.officer("powerless"))
        matrix = Matrix(http, city.issuer, service="accounts", powerless=powerless)
        assert await matrix.uncovered(doors) == (set(), set())
        knocks = await matrix.knock(doors)
    wrong = [knock for knock in knocks if not knock.right]
    # Who one is, everybody may ask who works here: no post needs to be given that.
    assert [(knock.door, knock.caller) for knock in wrong] == [("GET /v1/me", "powerless")]
