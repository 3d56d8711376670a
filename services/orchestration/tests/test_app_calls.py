"""Cases that departments' own systems decide: late, twice, early, never; one effect and one decision whatever fails."""

import asyncio
import time
from datetime import timedelta

import pytest
from aiohttp import web
from common.auth import system
from joserfc.jwk import ECKey
from orchestration import usecases
from orchestration.clients.departments import Departments, Places
from orchestration.clients.signatures import Signer
from orchestration.domain.call import LEASE, MOST_ATTEMPTS
from orchestration.domain.registered import AppKey, RegisteredApp
from tongban.workbench.v1 import app_pb2

from .department import APP, CLIENT, FAR_OFF, LONG_AGO, Department, send
from .makers import newborn_by_app

ITEM = "vaccination_certificate"


@pytest.fixture
async def department(desk, clock, others):
    signer = desk.app.outside.departments.signer
    public = {name: signer.jwk[name] for name in ("kty", "crv", "x", "y")}
    async with Department(clock, [AppKey(signer.key_id, public, LONG_AGO, FAR_OFF)]).serve() as serving:
        others.registry.apps[APP] = serving.registered()
        serving.registry = others.registry
        yield serving


@pytest.fixture
async def app_door(service, issuer):
    token = issuer.token("gov", service=CLIENT, aud="orchestration", roles=["orchestration:call_back"])
    async with service.http(token) as http:
        yield http


@pytest.fixture
async def who_else(service, issuer):
    """A client of another app."""
    token = issuer.token("gov", service="workbench", aud="orchestration", roles=["orchestration:call_back"])
    async with service.http(token) as http:
        yield http


@pytest.fixture
async def given(desk, department):
    """A filing with the case that the app is given."""
    assert department.url
    await desk.publish(newborn_by_app(**{ITEM: APP}))
    filing, cases = await desk.submitted()
    return filing, cases[ITEM]


async def run(desk):
    """What the clock door does once, to the end of every call."""
    app = desk.app
    count = await usecases.run_app_calls(app, system("orchestration"), app.bulkheads)
    await app.bulkheads.idle()
    return count


async def status(desk, filing):
    return (await desk.statuses(filing))[ITEM]


async def calls(desk):
    query = "select state, phase, attempts, attempt, error from calls where kind = 'app_case'"
    return [tuple(row) for row in await desk.rows(query)]


async def test_an_app_is_given_the_case_and_calls_back(desk, department, given, app_door):
    filing, case = given
    (ready,) = [
        r for r in await desk.rows("select body from outbox where type like '%CaseReady'") if b"cdc_system" in r[0]
    ]
    assert case.encode() in ready[0]
    assert await run(desk) == 1
    content = department.cases[case]
    assert set(content["form"]) == {"child_name", "child_sex", "birth_time", "hospital", "phone"}
    assert (content["item"], content["attempt"]) == (ITEM, 1)
    accepted = await send(app_door, department.signed(department.word(case, "accept")))
    assert (accepted.status_code, accepted.json()["status"]) == (200, "accepted")
    answer = await send(app_door, department.signed(department.word(case)))
    assert answer.json() == {"case_id": case, "attempt": 1, "applied": True, "reason": None, "status": "approved"}
    await desk.run_calls()
    assert await status(desk, filing) == "certificate_made"
    assert [row[0] for row in await calls(desk)] == ["done"]
    acts = {row[0] for row in await desk.rows("select act from journal where actor_id = 'department-cdc'")}
    assert acts == {"orchestration.accept_case", "orchestration.approve_case", "orchestration.receive_callback"}
    assert not await desk.motionless()


async def test_an_app_may_refuse(desk, department, given, app_door):
    filing, case = given
    await run(desk)
    assert (await send(app_door, department.signed(department.word(case, "refuse")))).json()["status"] == "refused"
    assert await status(desk, filing) == "refused"


async def test_the_callback_may_come_before_our_call_returns(desk, department, given, app_door):
    filing, case = given

    async def early(system_, content):
        system_.take(content)
        answer = await send(app_door, system_.signed(system_.word(case)))
        assert answer.json()["applied"], answer.text

    department.behave = early
    await run(desk)
    assert await status(desk, filing) == "approved"
    assert [row[0] for row in await calls(desk)] == ["done"]
    assert department.effects == [case]


async def test_the_same_word_twice_is_answered_the_same(desk, department, given, app_door):
    _, case = given
    await run(desk)
    first = await send(app_door, department.signed(department.word(case)))
    again = await asyncio.gather(*(send(app_door, department.signed(department.word(case))) for _ in range(3)))
    assert [each.json() for each in again] == [first.json()] * 3
    other = await send(app_door, department.signed(department.word(case, "refuse")))
    assert (other.status_code, other.json()["applied"], other.json()["reason"]) == (200, False, "CASE_ENDED")
    assert (await desk.rows("select count(*) from callbacks"))[0][0] == 2
    decided = await desk.rows("select count(*) from outbox where type like '%CaseDecided'")
    assert decided[0][0] == 1


async def test_two_at_once_decide_once(desk, department, given, app_door):
    _, case = given
    await run(desk)
    words = [department.word(case), department.word(case, "refuse")]
    answers = await asyncio.gather(*(send(app_door, department.signed(word)) for word in words))
    assert sorted(each.json()["applied"] for each in answers) == [False, True]
    assert (await desk.rows("select count(*) from outbox where type like '%CaseDecided'"))[0][0] == 1


async def test_a_decision_without_a_callback_is_asked_for(desk, department, given, clock):
    filing, case = given
    await run(desk)
    department.decided[case] = {"outcome": "approve", "result": {"certificate_no": "YZ2026001"}}
    assert await run(desk) == 0
    clock.advance(timedelta(minutes=3))
    assert await run(desk) == 1
    assert await status(desk, filing) == "approved"


@pytest.mark.parametrize("arrived", [True, False])
async def test_after_an_ambiguous_end_the_app_is_asked_first(desk, department, given, clock, arrived):
    _, case = given

    async def break_off(system_, content):
        system_.behave = None
        if arrived:
            system_.take(content)
        return web.Response(status=502)

    department.behave = break_off
    await run(desk)
    assert (await calls(desk))[0][:3] == ("pending", "ask", 1)
    clock.advance(timedelta(seconds=2))
    await run(desk)
    if not arrived:
        await run(desk)
    assert [each[0] for each in department.heard] == ["give", "ask"] + ([] if arrived else ["give"])
    assert department.effects == [case]
    assert (await calls(desk))[0][:3] == ("pending", "await", 0)


async def test_killed_between_call_and_answer_it_is_given_again_and_done_once(desk, department, given, clock):
    _, case = given

    async def take_and_hang(system_, content):
        system_.take(content)
        await asyncio.sleep(30)

    department.behave = take_and_hang
    await usecases.run_app_calls(desk.app, system("orchestration"), desk.app.bulkheads)
    deadline = time.monotonic() + 10
    while not department.effects:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)
    await desk.app.bulkheads.close()
    department.behave = None
    assert await run(desk) == 0
    clock.advance(LEASE)
    assert await run(desk) == 1
    assert department.effects == [case]


async def test_an_app_that_is_away_becomes_an_incident_with_a_desk(desk, department, given, clock, app_door):
    filing, case = given
    department.registry.apps[APP].state = app_pb2.APP_STATE_SUSPENDED
    for _ in range(MOST_ATTEMPTS):
        assert await run(desk) == 1
        clock.advance(timedelta(minutes=10))
    assert await run(desk) == 0
    (incident,) = (await desk.get("/v1/operations/stuck", "bureau")).json()["incidents"]
    told = (incident["case_id"], incident["app"], incident["error"])
    assert told == (case, APP, "APP_NOT_APPROVED")
    path = f"/v1/operations/incidents/{incident['call_id']}"
    assert (await desk.post(f"{path}:retry", name="bureau", acr=1)).json()["reason"] == "STEP_UP_NEEDED"
    department.registry.apps[APP].state = app_pb2.APP_STATE_APPROVED
    desk.app.outside.apps.drop(APP)
    assert (await desk.post(f"{path}:retry", name="bureau")).status_code == 200
    assert (await desk.post(f"{path}:retry", name="bureau")).json()["reason"] == "INCIDENT_NOT_FOUND"
    assert await run(desk) == 1
    assert department.cases[case]["attempt"] == 2
    # The word of the attempt before counts no more, that of this one does.
    old = (await send(app_door, department.signed(department.word(case)))).json()
    assert (old["applied"], old["reason"], old["status"]) == (False, "ATTEMPT_OUTDATED", "ready")
    assert (await send(app_door, department.signed(department.word(case, attempt=2)))).json()["applied"]
    assert await status(desk, filing) == "approved"


async def test_an_incident_is_handed_over_to_the_officers(desk, department, given, app_door):
    filing, case = given
    department.behave = lambda *_: asyncio.sleep(0, web.Response(status=400))
    await run(desk)
    (incident,) = (await desk.get("/v1/operations/stuck", "bureau")).json()["incidents"]
    assert incident["error"] == "APP_ANSWERED_400"
    path = f"/v1/operations/incidents/{incident['call_id']}:hand_over"
    assert (await desk.post(path, name="bureau")).status_code == 200
    assert (await desk.post(path, name="bureau")).json()["reason"] == "INCIDENT_NOT_FOUND"
    ready = await desk.rows("select body from outbox where type like '%CaseReady' order by created_at, id")
    assert APP.encode() not in ready[-1][0]
    late = (await send(app_door, department.signed(department.word(case)))).json()
    assert (late["applied"], late["reason"]) == (False, "CASE_HANDED_OVER")
    await desk.pass_({ITEM: case}, ITEM)
    assert await status(desk, filing) == "approved"
    assert not await desk.motionless()


async def test_a_case_of_another_department_goes_to_its_officers(desk, department, given, others):
    assert given
    others.registry.apps[APP].org_path = "zibo.zichuan.cdc"
    await run(desk)
    assert department.heard == []
    ready = await desk.rows("select body from outbox where type like '%CaseReady' order by created_at, id")
    assert APP.encode() not in ready[-1][0]


async def test_a_word_after_withdrawal_is_recorded_and_not_applied(desk, department, given, app_door, clock):
    _, case = given
    await run(desk)
    assert (await desk.withdraw(case)).status_code == 200
    late = (await send(app_door, department.signed(department.word(case)))).json()
    assert (late["applied"], late["reason"], late["status"]) == (False, "CASE_ENDED", "withdrawn")
    clock.advance(timedelta(minutes=3))
    await run(desk)
    assert [row[0] for row in await calls(desk)] == ["done"]
    assert (await desk.rows("select applied from callbacks"))[0][0] is False


FORGER = Signer(ECKey.generate_key("P-256").as_pem(private=True).decode())


@pytest.mark.parametrize(
    "wrong", [{}, {"signer": FORGER}, {"url": "http://localhost/api/orchestration/v1/filings"}, {"nonce": "n" * 101}]
)
async def test_what_is_not_signed_by_the_app_is_not_believed(desk, department, given, app_door, wrong):
    filing, case = given
    message = department.signed(department.word(case), **wrong)
    if not wrong:
        message.body = message.body.replace(b"YZ2026001", b"YZ2026002")
    answer = await send(app_door, message)
    assert (answer.status_code, answer.json()["reason"]) == (401, "SIGNATURE_INVALID")
    assert await status(desk, filing) == "ready"


async def test_a_message_without_a_signature_is_not_believed(department, given, app_door):
    message = department.signed(department.word(given[1]))
    for name in ("Signature", "Signature-Input", "Content-Digest"):
        headers = {key: value for key, value in message.headers.items() if key != name}
        answer = await app_door.post("/v1/callbacks", content=message.body, headers=headers)
        assert (answer.status_code, answer.json()["reason"]) == (401, "SIGNATURE_INVALID")


async def test_a_signature_is_good_once_and_for_a_while(desk, department, given, app_door, clock):
    _, case = given
    message = department.signed(department.word(case, "accept"))
    assert (await send(app_door, message)).status_code == 200
    assert (await send(app_door, message)).json()["reason"] == "SIGNATURE_REPLAYED"
    for minutes in (-6, 6):
        stale = department.signed(department.word(case), at=clock() + timedelta(minutes=minutes))
        assert (await send(app_door, stale)).json()["reason"] == "SIGNATURE_STALE"
    clock.advance(timedelta(minutes=30))
    async with desk.app.store.begin(system("orchestration")) as tx:
        await usecases.forget_nonces(tx)
    assert await desk.rows("select 1 from nonces") == []


async def test_an_app_sees_and_decides_only_its_own(desk, department, given, app_door, who_else):
    filing, case = given
    answer = await send(who_else, department.signed(department.word(case)))
    assert (answer.status_code, answer.json()["reason"]) == (404, "CASE_NOT_FOUND")
    theirs = (await desk.filing(filing))["cases"][0]["case_id"]
    if theirs != case:
        answer = await send(app_door, department.signed(department.word(theirs)))
        assert (answer.status_code, answer.json()["reason"]) == (404, "CASE_NOT_FOUND")
    department.registry.apps[APP].state = app_pb2.APP_STATE_SUSPENDED
    desk.app.outside.apps.drop(APP)
    answer = await send(app_door, department.signed(department.word(case)))
    assert (answer.status_code, answer.json()["reason"]) == (403, "APP_SUSPENDED")
    published = (await app_door.get("/v1/callbacks/keys")).json()["keys"]
    assert [set(key) & {"d"} for key in published] == [set()]


@pytest.mark.parametrize(
    "told",
    [
        {"outcome": "refuse"},
        {"outcome": "accept", "result": {"certificate_no": "x"}},
        {"outcome": "maybe"},
        {"attempt": 0},
        {"outcome": "approve", "reason_code": "X1", "explanation": "x"},
    ],
)
async def test_a_word_that_makes_no_sense_is_refused(department, given, app_door, told):
    answer = await send(app_door, department.signed({"case_id": given[1], "attempt": 1, "outcome": "approve"} | told))
    assert (answer.status_code, answer.json()["reason"]) == (422, "REQUEST_INVALID")


async def test_a_result_that_does_not_fit_is_told_and_waits_for_people_when_asked_for(
    desk, department, given, app_door, clock
):
    filing, case = given
    await run(desk)
    answer = await send(app_door, department.signed(department.word(case, result={"certificate_no": "1"})))
    assert (answer.status_code, answer.json()["reason"]) == (422, "RESULT_INVALID")
    assert await status(desk, filing) == "ready"
    department.decided[case] = {"outcome": "approve", "result": {}}
    clock.advance(timedelta(minutes=3))
    await run(desk)
    assert (await calls(desk))[0][0::4] == ("incident", "RESULT_INVALID")


@pytest.mark.parametrize(
    ("address", "loopback", "error"),
    [
        ("http://127.0.0.1:9", False, "APP_ADDRESS_FORBIDDEN"),
        ("http://localhost:9", False, "APP_ADDRESS_FORBIDDEN"),
        ("https://10.1.2.3", True, "APP_ADDRESS_FORBIDDEN"),
        ("https://169.254.169.254", True, "APP_ADDRESS_FORBIDDEN"),
        ("https://[::ffff:10.0.0.1]", True, "APP_ADDRESS_FORBIDDEN"),
        ("https://[fd00::1]", True, "APP_ADDRESS_FORBIDDEN"),
        ("https://[64:ff9b::7f00:1]", True, "APP_ADDRESS_FORBIDDEN"),
        ("https://[::10.0.0.1]", True, "APP_ADDRESS_FORBIDDEN"),
        ("https://[2002:a00:1::]", True, "APP_ADDRESS_FORBIDDEN"),
        ("https://[fec0::1]", True, "APP_ADDRESS_FORBIDDEN"),
        ("http://127.0.0.1:9", True, "APP_UNREACHED"),
    ],
)
async def test_a_name_is_followed_only_to_where_apps_may_be(desk, clock, address, loopback, error):
    signer = desk.app.outside.departments.signer
    departments = Departments(signer, Places(loopback=loopback), clock)
    app = RegisteredApp(APP, "zibo", address, CLIENT, frozenset(), (), is_approved=True)
    assert (await departments.ask(app, "x")).error == error
    await departments.close()


async def test_a_redirect_is_not_followed(desk, department, given):
    department.behave = lambda *_: asyncio.sleep(0, web.Response(status=302, headers={"Location": department.url}))
    assert given
    await run(desk)
    assert (await calls(desk))[0][0::4] == ("incident", "APP_ANSWERED_302")
