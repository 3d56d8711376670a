"""Every route by role, department and district: who may not is told so, and what is another's is silent."""

import asyncio
import time
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from attack.cases import operations
from attack.tokens import Keycloak, parts
from demo.people import Sessions
from demo.settings import Settings as DemoSettings

from attack import leaks, matrix
from demo import arrangements, city, newborn

DISTRICTS = {"370303": "lijing", "370302": "zhoulan"}
CITIZENS = ("lijing", "zhoulan", "zhangwei", "wangfang")
OF_ZHANGDIAN = ("health", "police", "market", "police3", "insurance", "civil")
OFFICERS = (*OF_ZHANGDIAN, "zichuan", "zichuan_health", "zichuan_insurance")
LINES = ("commission", "admin")
SERVICES = ("accounts", "verification", "orchestration", "workbench")
SEED = 20261122
MOST_NAMES = 12


@pytest.fixture(scope="module")
async def sessions(everybody):
    assert everybody, "the city is loaded"
    async with Sessions(DemoSettings()) as opened:
        yield opened


@pytest.fixture(scope="module")
async def people(sessions):
    return {name: await sessions.of(name) for name in (*CITIZENS, *OFFICERS, *LINES)}


@pytest.fixture(scope="module")
def routes(document):
    return operations(document)


@pytest.fixture(scope="module")
async def things(people):
    """Two departments and two districts hold filings, cases, papers, licences, requests, consents, desks."""
    serial = int(time.time()) % 10_000_000
    matters = [await leaks.file(people[mother], mother, region, serial) for region, mother in sorted(DISTRICTS.items())]
    await appointed_and_lent(people)
    father = city.citizen("zhangwei")["person_id"]
    await newborn.ask(people["lijing"], father, matters[1].ids["filing_id"][0])
    await newborn.grant(people["zhangwei"], at=datetime.now(UTC))
    waiting = {case for matter in matters for case in matter.cases}
    async with asyncio.timeout(30):
        # desks hear of cases a moment later
        while True:
            if len(waiting & await shown_todos(people)) >= len(DISTRICTS):
                break
            await asyncio.sleep(0.2)
    return await matrix.gather(people, matters, asked={"zhangwei"})


async def appointed_and_lent(people):
    """A company has an agent, and an officer has lent the post to a colleague."""
    (company, *_) = city.legal_persons()
    named = {name: company[name] for name in ("legal_person_id", "uscc", "name")}
    representative = people[company["representative"]]
    person_id = city.citizen(company["representative"])["person_id"]
    await people[company["registrar"]].post("accounts/v1/legal-persons", named | {"representative_id": person_id})
    (represented,) = (await representative.get("accounts/v1/me/legal-persons"))["items"]
    until = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    if not represented["agencies"]:
        await arrangements.prove_more(representative, DemoSettings(), company["representative"])
        agent = {"agent_id": city.citizen("wangfang")["person_id"], "valid_until": until}
        await representative.post(f"accounts/v1/legal-persons/{company['legal_person_id']}/agents", agent)
    if not (await people["police3"].get("accounts/v1/delegations"))["items"]:
        lent = {"delegate_id": city.employee("police2")["employee_id"], "valid_until": until}
        await people["police3"].post("accounts/v1/delegations", lent)


async def shown_todos(people):
    answers = [
        await leaks.unhurried(people[name], "GET", "workbench/v1/todos", params={"page_size": "100"})
        for name in OFFICERS
    ]
    return {each["source_id"] for answer in answers for each in answer.json()["items"]}


async def test_every_name_in_a_path_is_somebodys(routes, things):
    """A new route names something that is here, or says why it needs not be."""
    asked = {matrix.parameter(each) for each in routes} - {""}
    elsewhere = matrix.EVERYBODYS | matrix.ADMINISTERED | {"matters/code"}
    assert asked - set(things.known) - elsewhere == set()
    assert {name for name in things.known if not things.known[name]} == set()


@pytest.mark.timeout(240)
@pytest.mark.parametrize("username", ["lijing", "health", "police", "market", "commission", "zichuan", "admin"])
async def test_whoever_may_not_is_told_so_by_every_route(people, routes, username):
    kind, held = matrix.held(username)
    wrong, barred = [], 0
    for operation in routes:
        reason = matrix.barred(operation, kind, held)
        if not reason:
            continue
        barred += 1
        method = operation.method.upper()
        answer = await leaks.unhurried(people[username], method, matrix.path(operation), {})
        if (answer.status_code, answer.json().get("reason")) != (403, reason):
            wrong.append((operation.label, reason, answer.status_code, answer.text[:200]))
    assert wrong == []
    assert barred > 20


@pytest.mark.timeout(240)
async def test_nobody_and_no_service_without_the_role_is_let_in_by_any_route(routes, settings, public_url):
    keycloak = Keycloak(settings.tongban_keycloak_url, public_url, settings.gateway_client_key)
    secrets = {"workbench": settings.workbench_client_secret, "demo-loader": DemoSettings().client_secret}
    tokens = {client: await keycloak.of_service(client, secret) for client, secret in secrets.items()}
    wrong = []
    async with httpx.AsyncClient(base_url=f"{public_url}/api/", trust_env=False, timeout=30) as http:
        for operation in routes:
            service = operation.path.split("/")[2]
            for client, token in {"nobody": None, **tokens}.items():
                reason = "BEARER_MISSING" if token is None else expected(operation, service, parts(token)[1])
                if not reason:
                    continue
                headers = {"Authorization": f"Bearer {token}"} if token else {}
                answer = await asked(http, operation, headers)
                if answer.json().get("reason") != reason:
                    wrong.append((client, operation.label, reason, answer.status_code, answer.text[:200]))
    assert wrong == []


def expected(operation, service, claims):
    if service not in claims["aud"]:
        return "TOKEN_AUDIENCE"
    return matrix.barred(operation, "service", claims.get("realm_access", {}).get("roles", ()))


async def asked(http, operation, headers):
    while True:
        answer = await http.request(
            operation.method.upper(), matrix.path(operation), headers=headers | {"Idempotency-Key": "k"}, json={}
        )
        if answer.status_code != leaks.TOO_MANY:
            return answer
        await asyncio.sleep(float(answer.headers["Retry-After"]))


@pytest.mark.timeout(300)
@pytest.mark.parametrize("username", [*CITIZENS, *OFFICERS])
async def test_no_list_search_or_count_shows_what_is_anothers_however_it_is_asked(people, routes, things, username):
    kind, held = matrix.held(username)
    foreign, leaked, looked = things.unseen(username), [], 0
    for operation in routes:
        if operation.method.upper() != "GET" or "{" in operation.path or operation.path.endswith("/stream"):
            continue
        if matrix.barred(operation, kind, held):
            continue
        for query in matrix.queries(operation):
            answer = await leaks.unhurried(people[username], "GET", matrix.path(operation), params=query)
            looked += answer.is_success
            leaked += [(operation.path, query, name) for name in foreign if name in answer.text]
    assert leaked == []
    assert looked > 20


@pytest.fixture(scope="module")
def sent():
    """What to send to each route, drawn once for all who knock."""
    drawn = {}

    def of(operation):
        if operation.label not in drawn:
            drawn[operation.label] = matrix.sent(operation, SEED)
        return drawn[operation.label]

    return of


@pytest.mark.timeout(300)
@pytest.mark.parametrize("username", [*CITIZENS, *OFFICERS])
async def test_anothers_name_is_answered_like_a_name_of_nothing(people, routes, things, sent, username):
    """Read, write and export: refused, and in the same words as for what does not exist."""
    kind, held = matrix.held(username)
    opened, knocked = [], 0
    for operation in routes:
        names = things.foreign(matrix.parameter(operation), username)[:MOST_NAMES]
        if not names or matrix.barred(operation, kind, held):
            continue
        method, (body, query) = operation.method.upper(), sent(operation)
        said = {}
        for name in (matrix.NOTHING.get(matrix.parameter(operation), matrix.NOBODY), *names):
            answer = await leaks.unhurried(
                people[username], method, matrix.path(operation, name), body, params=query or None
            )
            said[name] = (answer.status_code, answer.json().get("reason") if answer.is_error else answer.text[:300])
            knocked += 1
        if len(set(said.values())) > 1 or any(status < 400 for status, _ in said.values()):
            opened.append((operation.label, said))
    assert opened == []
    assert knocked > 10


@pytest.mark.parametrize("username", ["police", "health", "zichuan"])
async def test_a_count_counts_what_its_list_shows(people, things, username):
    assert things.known["todo_id"]
    person = people[username]
    told = (await leaks.unhurried(person, "GET", "workbench/v1/todos/counts")).json()
    listed = await matrix.every(person, "workbench/v1/todos")
    assert told["open"] == len(listed), told


@pytest.mark.parametrize("typed", ["%", "_", "%%", "__", "\\", "%' or '1'='1", "[a-z]"])
async def test_what_stands_for_anything_elsewhere_finds_only_itself(people, things, typed):
    assert things.known["todo_id"]
    every = (await leaks.unhurried(people["health"], "GET", "workbench/v1/todos")).json()["items"]
    found = await leaks.unhurried(people["health"], "GET", "workbench/v1/todos", params={"words": typed})
    assert every
    assert found.json()["items"] == [each for each in every if typed in each["title"]]
