"""Limits: stopped for a special procedure, extended once, passed; and ten thousand timers at once."""

import asyncio
import time
from datetime import timedelta

import pytest
from common.auth import system
from hypothesis import given
from hypothesis import strategies as st
from orchestration import usecases
from orchestration.domain.limits import Light, light
from worktime import Clock

from .makers import AT, CALENDAR
from .test_story import facts

CARD = "social_security_card"
OFFICER = "human_resources"


async def accepted(desk):
    filing, cases = await desk.submitted()
    await desk.pass_(cases, "birth_certificate", "household_registration")
    await desk.accept(cases[CARD], CARD)
    return filing, cases[CARD]


async def test_a_hearing_stops_the_clock_until_it_is_over(desk, clock):
    filing, case = await accepted(desk)
    before = (await desk.case(filing, CARD))["statutory_due_at"]
    assert before == "2026-12-07T09:30:00Z"
    stopped = await desk.do(case, "stop_clock", {"procedure": "HEARING", "days": 20}, OFFICER)
    assert (stopped.status_code, stopped.json()["status"]) == (200, "special_procedure"), stopped.text
    assert (stopped.json()["statutory_due_at"], stopped.json()["pause"]["days"]) == (None, 20)
    refused = await desk.approve(case, CARD)
    assert (refused.status_code, refused.json()["reason"]) == (409, "CLOCK_STOPPED")
    clock.advance(timedelta(days=3))
    resumed = await desk.do(case, "resume_clock", name=OFFICER)
    assert resumed.json()["statutory_due_at"] == "2026-12-09T17:30:00+08:00"
    detail = (await desk.get(f"/v1/cases/{case}", OFFICER)).json()
    assert "听证" in detail["statutory_due"]["text"]
    again = await desk.do(case, "resume_clock", name=OFFICER)
    assert again.json()["reason"] == "CLOCK_NOT_STOPPED"
    assert (await desk.approve(case, CARD)).status_code == 200
    told = await desk.told(filing)
    assert "“社会保障卡申领”进入特殊程序：听证，需20个工作日，期间不计入办理时限" in told
    assert "“社会保障卡申领”特殊程序结束，继续计时" in told


async def test_the_announced_days_end_by_themselves(desk, clock):
    filing, case = await accepted(desk)
    await desk.do(case, "stop_clock", {"procedure": "TESTING", "days": 2}, OFFICER)
    clock.advance(timedelta(days=3))
    await desk.sweep()
    now = await desk.case(filing, CARD)
    # Late or not: the clock goes on from the end of the announced days.
    assert (now["status"], now["statutory_due_at"]) == ("accepted", "2026-12-09T09:30:00Z")
    assert (await facts(desk)).count("case.due_changed") == 2


async def test_the_head_of_the_organ_extends_once(desk):
    filing, case = await accepted(desk)
    body = {"days": 10, "reason": "需要跨省核实"}
    assert (await desk.do(case, "extend_limit", {**body, "days": 11}, OFFICER)).status_code == 422
    extended = await desk.do(case, "extend_limit", body, OFFICER)
    assert extended.json()["statutory_due_at"] == "2026-12-21T17:30:00+08:00"
    again = await desk.do(case, "extend_limit", body, OFFICER)
    assert (again.status_code, again.json()["reason"]) == (409, "ALREADY_EXTENDED")
    assert "“社会保障卡申领”经批准延长10个工作日：需要跨省核实" in await desk.told(filing)


async def test_what_has_passed_is_not_extended(desk, clock):
    _, case = await accepted(desk)
    clock.advance(timedelta(days=15))
    refused = await desk.do(case, "extend_limit", {"days": 5, "reason": "太迟"}, OFFICER)
    assert (refused.status_code, refused.json()["reason"]) == (409, "LIMIT_OVERDUE")


async def test_a_broken_promise_and_a_broken_law_are_two_alarms(desk, clock):
    filing, case = await accepted(desk)
    clock.advance(timedelta(days=8))
    await desk.sweep()
    told = await facts(desk)
    assert (told.count("case.promised_overdue"), told.count("case.statutory_overdue")) == (4, 0)
    clock.advance(timedelta(days=7))
    await desk.sweep()
    await desk.sweep()
    assert (await facts(desk)).count("case.statutory_overdue") == 3
    line = next(c for c in (await desk.get("/v1/cases", OFFICER)).json()["items"] if c["case_id"] == case)
    assert (line["promised_light"], line["statutory_light"]) == ("red", "red")
    assert "“社会保障卡申领”超过承诺时限" in await desk.told(filing)
    assert "“社会保障卡申领”超过法定时限" in await desk.told(filing)
    # Alarms change nothing: the case can still be decided.
    assert (await desk.approve(case, CARD)).status_code == 200


@given(st.integers(1, 60), st.integers(0, 120))
def test_the_light_turns_once(limit, days):
    clock = Clock(limit).start(AT)
    at = AT + timedelta(days=days)
    left = clock.remaining(at, CALENDAR)
    shown = light(clock, at=at, calendar=CALENDAR)
    assert (shown is Light.RED) == (left < 1)
    assert (shown is Light.GREEN) == (left > max(1, limit * 0.2) and left > 1)
    assert light(clock.stop(at, "HEARING"), at=at, calendar=CALENDAR) is Light.GREEN


@pytest.mark.timeout(300)
async def test_ten_thousand_timers_due_at_once_fire_once_each(desk, clock):
    """Half are limits that pass, half are cases deemed accepted; two sweep at the same time."""
    filing, cases = await desk.submitted()
    await desk.accept(cases["birth_certificate"], "birth_certificate")
    due = clock() + timedelta(days=7)
    async with desk.app.store.database.engine.begin() as connection:
        from sqlalchemy import text  # noqa: PLC0415

        await connection.execute(text(COPIES), {"filing": filing, "count": 5000})
        await connection.execute(text("update timers set due_at = :due"), {"due": due})
    clock.advance(timedelta(days=8, hours=9))

    async def sweep():
        fired = 0
        while count := await usecases.sweep_timers(desk.app.store, system("orchestration"), desk.app.calendar):
            fired += count
        return fired

    started = time.monotonic()
    fired = await asyncio.gather(sweep(), sweep())
    took = time.monotonic() - started
    print(f"{sum(fired)} timers in {took:.1f} s by {fired}")  # noqa: T201
    left = await desk.rows("select count(*) from timers where fired_at is null and due_at <= :now", now=clock())
    assert left[0][0] == 0
    assert all(fired)
    doubled = await desk.rows("select subject, type from outbox group by 1, 2 having count(*) > 1")
    assert doubled == []
    overdue = await desk.rows("select count(*) from outbox where type like '%CasePromisedOverdue'")
    deemed = await desk.rows("select count(*) from cases where status = 'accepted'")
    assert deemed[0][0] == 10003
    assert overdue[0][0] == 10003
    assert took < 120


COPIES = """
with copied as (
    insert into filings (id, no, matter_code, matter_version, matter_name, region_code, applicant_id, state, revision,
                         version, open_cases, content, created_at, submitted_at)
    select gen_random_uuid(), 'F' || n, matter_code, matter_version, matter_name, region_code, applicant_id, state,
           revision, version, 2, content, created_at, submitted_at
    from filings, generate_series(1, :count) as n where id = cast(:filing as uuid)
    returning id, no),
cases_copied as (
    insert into cases (id, no, filing_id, applicant_id, matter_code, item, item_name, org_id, org_path, org_uscc,
                       region_code, status, waits_for, open_dependencies, gives_licence, clocks, due, materials,
                       version, created_at, ready_at, accepted_at, promised_due_at, terms)
    select gen_random_uuid(), c.item || copied.no, copied.id, c.applicant_id, c.matter_code, c.item, c.item_name,
           c.org_id, c.org_path, c.org_uscc, c.region_code, c.status, c.waits_for, c.open_dependencies,
           c.gives_licence, c.clocks, c.due, c.materials, c.version, c.created_at, c.ready_at, c.accepted_at,
           c.promised_due_at, c.terms
    from cases as c, copied
    where c.filing_id = cast(:filing as uuid) and c.item in ('birth_certificate', 'vaccination_certificate')
    returning id, filing_id, status)
insert into timers (case_id, kind, filing_id, due_at)
select id, case status when 'ready' then 'acceptance' else 'promised' end, filing_id, now() from cases_copied"""
