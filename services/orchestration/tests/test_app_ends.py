"""Cases that end while departments' own systems hold them: each hears of it once, whatever comes in between."""

import asyncio
import time
from datetime import timedelta

import pytest
from common.auth import system
from orchestration import usecases
from orchestration.domain.call import LEASE, MOST_ATTEMPTS
from tongban.workbench.v1 import app_pb2

from .department import send
from .makers import newborn_by_app
from .test_app_calls import APP, ITEM, app_door, department, given, run, status

__all__ = ["app_door", "department", "given"]
OFFICER = "cdc"


async def ends(desk):
    return [tuple(row) for row in await desk.rows("select state, attempts, error from calls where kind = 'app_end'")]


@pytest.fixture
def say(app_door, department):
    async def word(case, outcome="approve"):
        answer = await send(app_door, department.signed(department.word(case, outcome)))
        return answer.status_code, answer.json()

    return word


async def test_an_app_hears_of_a_withdrawal_once(desk, department, given, clock):
    filing, case = given
    await run(desk)
    assert (await desk.withdraw(case)).status_code == 200
    assert await run(desk) == 1
    (told,) = department.ended
    assert (told["case_id"], told["attempt"], told["status"], told["reason_code"]) == (case, 1, "withdrawn", None)
    clock.advance(timedelta(minutes=30))
    assert await run(desk) == 0
    assert (await ends(desk))[0][0] == "done"
    assert await status(desk, filing) == "withdrawn"
    assert not await desk.motionless()


async def test_an_app_hears_of_a_termination_with_its_ground(desk, department, given):
    _, case = given
    await run(desk)
    assert (await desk.terminate(case, ITEM, "PURPOSE_GONE")).status_code == 200
    await run(desk)
    assert [(each["status"], each["reason_code"]) for each in department.ended] == [("terminated", "PURPOSE_GONE")]


async def test_who_was_never_given_the_case_need_not_know(desk, department):
    await desk.publish(newborn_by_app(social_security_card=APP))
    filing, _ = await desk.submitted()
    assert (await desk.post(f"/v1/filings/{filing}:withdraw")).status_code == 200
    assert await run(desk) == 0
    assert (department.heard, await ends(desk)) == ([], [])


async def test_an_app_that_does_not_know_the_case_is_told_no_more(desk, department, given):
    _, case = given
    assert (await desk.withdraw(case)).status_code == 200
    assert await run(desk) == 1
    assert [each[0] for each in department.heard] == ["end"]
    assert (department.effects, (await ends(desk))[0][0]) == ([], "done")


async def test_withdrawn_while_the_call_is_under_way_the_end_comes_after_it(desk, department, given):
    _, case = given
    reached, go = asyncio.Event(), asyncio.Event()

    async def slowly(*_):
        reached.set()
        await go.wait()

    department.behave = slowly
    await usecases.run_app_calls(desk.app, system("orchestration"), desk.app.bulkheads)
    await asyncio.wait_for(reached.wait(), 10)
    assert (await desk.withdraw(case)).status_code == 200
    assert await usecases.run_app_calls(desk.app, system("orchestration"), desk.app.bulkheads) == 0
    go.set()
    await desk.app.bulkheads.idle()
    assert await run(desk) == 1
    assert [each[0] for each in department.heard] == ["give", "end"]
    assert [each["case_id"] for each in department.ended] == [case]


async def test_killed_while_giving_the_end_comes_when_its_lease_is_over(desk, department, given, clock):
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
    assert (await desk.withdraw(case)).status_code == 200
    assert await run(desk) == 0
    clock.advance(LEASE)
    assert await run(desk) == 1
    assert [each["case_id"] for each in department.ended] == [case]


async def test_of_withdrawal_and_word_at_once_one_counts_and_both_know(desk, department, given, say):
    filing, case = given
    await run(desk)
    withdrawn, (code, told) = await asyncio.gather(desk.withdraw(case), say(case))
    await run(desk)
    assert code == 200
    assert told["applied"] == (withdrawn.status_code == 409)
    assert len(department.ended) == (withdrawn.status_code == 200)
    assert await status(desk, filing) == ("approved" if told["applied"] else "withdrawn")


async def test_withdrawn_while_the_app_answers_with_its_decision_one_counts(desk, department, given):
    filing, case = given
    department.decided[case] = {"outcome": "approve", "result": {"certificate_no": "YZ2026001"}}
    withdrawn, _ = await asyncio.gather(desk.withdraw(case), run(desk))
    await run(desk)
    now = await status(desk, filing)
    assert now == ("withdrawn" if withdrawn.status_code == 200 else "approved")
    assert (await desk.rows("select count(*) from outbox where type like '%CaseDecided'"))[0][0] == (now == "approved")
    assert {row[0] for row in await desk.rows("select state from calls where app is not null")} == {"done"}


async def test_an_app_that_refuses_to_hear_is_an_incident(desk, department, given):
    _, case = given
    await run(desk)
    department.ending = 400
    assert (await desk.withdraw(case)).status_code == 200
    assert await run(desk) == 1
    (incident,) = (await desk.get("/v1/operations/stuck", "bureau")).json()["incidents"]
    assert (incident["kind"], incident["case_id"], incident["error"]) == ("app_end", case, "APP_ANSWERED_400")
    path = f"/v1/operations/incidents/{incident['call_id']}"
    assert (await desk.post(f"{path}:hand_over", name="bureau")).json()["reason"] == "NOT_OF_AN_APP"
    department.ending = None
    assert (await desk.post(f"{path}:retry", name="bureau")).status_code == 200
    assert await run(desk) == 1
    assert [(each["case_id"], each["attempt"]) for each in department.ended] == [(case, 1)]


async def test_an_app_that_is_away_is_told_again_and_finally_an_incident(desk, department, given, clock):
    _, case = given
    await run(desk)
    department.ending = 503
    assert (await desk.withdraw(case)).status_code == 200
    assert await run(desk) == 1
    assert (await ends(desk))[0] == ("pending", 1, "APP_ANSWERED_503")
    department.registry.apps[APP].state = app_pb2.APP_STATE_SUSPENDED
    desk.app.outside.apps.drop(APP)
    for _ in range(MOST_ATTEMPTS - 1):
        clock.advance(timedelta(minutes=10))
        assert await run(desk) == 1
    assert (await ends(desk))[0][0::2] == ("incident", "APP_NOT_APPROVED")
    assert not await desk.motionless()


async def test_a_word_after_silence_is_told_so_and_may_still_decide(desk, given, say, clock):
    filing, case = given
    await run(desk)
    clock.advance(timedelta(days=10))
    assert await desk.sweep() >= 1
    assert await status(desk, filing) == "accepted"
    code, told = await say(case, "accept")
    assert (code, told["applied"], told["status"]) == (200, True, "accepted")
    accepted = "select count(*) from outbox where type like '%CaseAccepted' and right(subject, 36) = :id"
    assert (await desk.rows(accepted, id=case))[0][0] == 1
    code, told = await say(case)
    assert (code, told["applied"], told["status"]) == (200, True, "approved")
    assert await status(desk, filing) == "approved"


@pytest.mark.parametrize("outcome", ["accept", "approve", "refuse"])
@pytest.mark.parametrize("ended", ["withdrawn", "terminated", "declined", "refused"])
async def test_a_word_on_what_ended_meanwhile_is_recorded_and_changes_nothing(desk, given, say, outcome, ended):
    filing, case = given
    await run(desk)
    match ended:
        case "withdrawn":
            await desk.withdraw(case)
        case "terminated":
            await desk.terminate(case, ITEM)
        case "declined":
            await desk.decline(case, ITEM)
        case "refused":
            await desk.accept(case, ITEM)
            await desk.refuse(case, ITEM)
    before = await desk.case(filing, ITEM)
    answers = [await say(case, outcome) for _ in range(2)]
    assert answers[0] == answers[1]
    code, told = answers[0]
    assert (code, told["applied"], told["reason"], told["status"]) == (200, False, "CASE_ENDED", ended)
    assert await desk.case(filing, ITEM) == before
    assert [row[0] for row in await desk.rows("select applied from callbacks")] == [False]
    await run(desk)
    assert {row[0] for row in await desk.rows("select state from calls where app is not null")} <= {"done", "pending"}


async def test_a_word_while_the_applicant_supplements_comes_too_early(desk, department, given, say, clock):
    filing, case = given
    await run(desk)
    assert (await desk.ask(case, ITEM, fields=["hospital"])).status_code == 200
    for outcome in ("accept", "approve", "refuse"):
        code, told = await say(case, outcome)
        assert (code, told["reason"]) == (409, "SUPPLEMENT_OPEN")
    # Nor does it wait for people when the app is asked: it is asked again.
    department.decided[case] = {"outcome": "approve", "result": {"certificate_no": "YZ2026001"}}
    clock.advance(timedelta(minutes=3))
    assert await run(desk) == 1
    assert await status(desk, filing) == "supplement_requested"
    answered = await desk.do(case, "answer_supplement", {"form": {"hospital": "淄博市立医院"}})
    assert answered.status_code == 200, answered.text
    clock.advance(timedelta(minutes=3))
    assert await run(desk) == 1
    assert await status(desk, filing) == "approved"


async def test_a_decision_in_a_special_procedure_waits_for_its_end(desk, given, say):
    filing, case = given
    await run(desk)
    await say(case, "accept")
    assert (await desk.do(case, "stop_clock", {"procedure": "TESTING", "days": 5}, OFFICER)).status_code == 200
    code, told = await say(case)
    assert (code, told["reason"]) == (409, "CLOCK_STOPPED")
    assert (await desk.do(case, "resume_clock", None, OFFICER)).status_code == 200
    code, told = await say(case)
    assert (code, told["status"]) == (200, "approved")
    assert await status(desk, filing) == "approved"
