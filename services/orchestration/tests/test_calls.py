"""Outgoing calls: whatever fails and however often, the licence is issued once and the filing closes."""

from datetime import timedelta

import pytest
from common.auth import system
from orchestration import usecases
from orchestration.clients import Verification
from orchestration.domain.call import LEASE, MOST_ATTEMPTS


@pytest.fixture
async def decided(desk):
    filing, cases = await desk.submitted()
    await desk.pass_(cases, "birth_certificate")
    return filing, cases["birth_certificate"]


async def status_of(desk, filing):
    return (await desk.statuses(filing))["birth_certificate"]


async def test_a_call_that_fails_is_tried_again_later(desk, others, clock, decided):
    filing, case = decided
    others.library.failing = 2
    assert await desk.run_calls() == 1
    assert await desk.run_calls() == 0
    assert not await desk.motionless()
    clock.advance(timedelta(seconds=2))
    assert await desk.run_calls() == 1
    clock.advance(timedelta(seconds=4))
    assert await desk.run_calls() == 1
    assert await status_of(desk, filing) == "certificate_made"
    assert list(others.library.issued) == [case]


async def test_a_call_that_keeps_failing_becomes_an_incident_that_people_can_retry(desk, others, clock, decided):
    filing, case = decided
    others.library.failing = MOST_ATTEMPTS
    for _ in range(MOST_ATTEMPTS):
        assert await desk.run_calls() == 1
        clock.advance(timedelta(minutes=10))
    assert await desk.run_calls() == 0
    stuck = (await desk.get("/v1/operations/stuck", "bureau")).json()
    assert stuck["filings"] == []
    assert [(each["case_id"], each["attempts"], each["error"]) for each in stuck["incidents"]] == [
        (case, MOST_ATTEMPTS, "PEER_UNAVAILABLE")
    ]
    async with desk.app.store.begin(system("orchestration")) as tx:
        assert await usecases.retry_incidents(tx) == 1
    assert await desk.run_calls() == 1
    assert await status_of(desk, filing) == "certificate_made"


class Killed(BaseException):
    """The process ends here."""


async def test_killed_between_the_call_and_its_result_it_is_made_again_and_issued_once(
    desk, others, clock, decided, monkeypatch
):
    filing, case = decided
    issue = Verification.issue

    async def issue_and_die(self, wanted):
        await issue(self, wanted)
        raise Killed

    monkeypatch.setattr(Verification, "issue", issue_and_die)
    with pytest.raises(Killed):
        await desk.run_calls()
    monkeypatch.undo()
    assert await status_of(desk, filing) == "approved"
    assert await desk.run_calls() == 0
    clock.advance(LEASE)
    assert await desk.run_calls() == 1
    assert await status_of(desk, filing) == "certificate_made"
    assert list(others.library.issued) == [case]
    assert len([call for call in others.library.callers if call[0] == "issue"]) == 2


async def test_a_slow_taker_and_its_successor_record_one_result(desk, clock, decided, monkeypatch):
    filing, _ = decided
    issue = Verification.issue

    async def overtaken(self, wanted):
        monkeypatch.undo()
        clock.advance(LEASE)
        assert await desk.run_calls() == 1
        return await issue(self, wanted)

    monkeypatch.setattr(Verification, "issue", overtaken)
    await desk.run_calls()
    assert await status_of(desk, filing) == "certificate_made"
    rows = await desk.rows("select count(*) from outbox where subject like '%result_issued%'")
    assert rows[0][0] == 1
    assert (await desk.rows("select state from calls"))[0][0] == "done"


async def test_a_filing_that_nothing_moves_is_found(desk, decided):
    filing, _ = decided
    assert not await desk.motionless()
    # What no act of ours can do: every reason to move is taken away.
    await desk.rows("update cases set status = 'waiting' where status in ('ready', 'accepted') returning id")
    await desk.rows("update calls set state = 'done' returning id")
    await desk.rows("update outbox set published_at = now() returning id")
    assert [each.filing_id for each in await desk.motionless()] == [filing]
    stuck = (await desk.get("/v1/operations/stuck", "bureau")).json()
    assert [each["filing_id"] for each in stuck["filings"]] == [filing]
