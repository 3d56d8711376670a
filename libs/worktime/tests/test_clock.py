import json
from datetime import UTC, datetime, timedelta

import oracle
import pytest
from hypothesis import given
from hypothesis import strategies as st
from worktime import Clock, ClockIsRunning, ClockIsStopped, StepKind, TimeRunsBack, due, national, sentence

CALENDAR = national()
LIMITS = st.integers(1, 60)


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+08:00")


@st.composite
def moments(draw):
    hours = draw(st.integers(0, 3 * 365 * 24 * 2))
    return datetime(2024, 6, 1, tzinfo=UTC) + timedelta(minutes=30 * hours)


@st.composite
def clocks(draw):
    """A clock with a past: started, then stopped and resumed a few times, perhaps extended."""
    moment = draw(moments())
    clock = Clock(draw(LIMITS)).start(moment)
    for _ in range(draw(st.integers(0, 4))):
        moment += timedelta(minutes=30 * draw(st.integers(0, 48 * 12)))
        clock = clock.stop(moment, "supplement")
        moment += timedelta(minutes=30 * draw(st.integers(0, 48 * 12)))
        clock = clock.resume(moment)
    if draw(st.booleans()):
        clock = clock.extend(draw(st.integers(1, 15)), "complex")
    if draw(st.booleans()):
        clock = clock.stop(moment + timedelta(minutes=30 * draw(st.integers(0, 48 * 12))), "hearing")
    return clock


@given(moments(), LIMITS)
def test_a_clock_never_stopped_is_a_plain_limit(start, limit):
    assert Clock(limit).start(start).due(CALENDAR) == due(start, limit, CALENDAR)


@given(clocks(), st.integers(0, 48 * 200))
def test_used_and_remaining_are_those_of_counting_day_ends(clock, later):
    moment = clock.segments[0].start + timedelta(minutes=30 * later)
    used = len(oracle.counted_closes(clock, moment, CALENDAR))
    assert clock.used(moment, CALENDAR) == used
    assert clock.remaining(moment, CALENDAR) == clock.total - used


@given(clocks())
def test_the_due_date_is_the_day_end_that_uses_the_limit_up(clock):
    closes = oracle.counted_closes(clock, clock.segments[-1].start + timedelta(days=200), CALENDAR)
    counted = clock.due(CALENDAR)
    if len(closes) < clock.total:
        assert counted is None
        assert not clock.is_running
        return
    assert counted.at == closes[clock.total - 1]
    assert counted.at == clock.due_at(CALENDAR)
    assert sum(step.days for step in counted.steps if step.kind in (StepKind.COUNTED, StepKind.MAKE_UP)) == clock.total


@given(clocks())
def test_overdue_begins_after_the_due_moment(clock):
    due_at = clock.due_at(CALENDAR)
    if due_at is None:
        assert not clock.is_overdue(clock.segments[-1].stop + timedelta(days=400), CALENDAR)
        return
    assert clock.remaining(due_at, CALENDAR) <= 0
    assert clock.remaining(due_at - timedelta(minutes=1), CALENDAR) >= 1
    assert not clock.is_overdue(due_at, CALENDAR)
    assert clock.is_overdue(due_at + timedelta(seconds=1), CALENDAR)


@given(moments(), LIMITS, st.integers(0, 48 * 20), st.integers(0, 48 * 20))
def test_a_stop_moves_the_due_date_by_the_day_ends_that_lie_in_it(start, limit, before, length):
    stop = start + timedelta(minutes=30 * before)
    resume = stop + timedelta(minutes=30 * length)
    clock = Clock(limit).start(start)
    if stop > clock.due_at(CALENDAR):
        return
    moved = clock.stop(stop, "supplement").resume(resume)
    first_day = CALENDAR.local(start).date()
    lost = [
        close
        for close in oracle.counted_closes(clock, resume, CALENDAR)
        if stop < close <= resume and close.date() > first_day
    ]
    extra = clock.extend(len(lost), "lost") if lost and stop < clock.due_at(CALENDAR) else clock
    assert moved.due_at(CALENDAR) == extra.due_at(CALENDAR)


@given(clocks(), st.integers(1, 10))
def test_an_extension_adds_working_days(clock, days):
    longer = clock.extend(days, "complex")
    if clock.is_running and clock.used(clock.segments[-1].start, CALENDAR) < clock.total:
        gap = longer.due_at(CALENDAR).date(), clock.due_at(CALENDAR).date()
        assert CALENDAR.rank(gap[0]) - CALENDAR.rank(gap[1]) == days
    assert longer.total == clock.total + days


@given(clocks(), st.integers(0, 100))
def test_a_restart_forgets_what_was(clock, later):
    moment = (clock.segments[-1].stop or clock.segments[-1].start) + timedelta(hours=later)
    assert clock.restart(moment) == Clock(clock.limit).start(moment)


@given(clocks())
def test_a_clock_survives_json(clock):
    assert Clock.from_dict(json.loads(json.dumps(clock.as_dict()))) == clock


def test_the_day_of_a_stop_does_not_count_and_the_day_of_the_resumption_does():
    clock = Clock(5).start(at("2026-03-02T09:00"))  # Monday
    assert clock.due_at(CALENDAR) == at("2026-03-09T17:30")
    stopped = clock.stop(at("2026-03-04T10:00"), "supplement")  # Wednesday: Tuesday has counted
    assert stopped.remaining(at("2026-03-20T10:00"), CALENDAR) == 4
    assert stopped.due(CALENDAR) is None
    assert stopped.stopped_for == "supplement"
    resumed = stopped.resume(at("2026-03-06T10:00"))  # Friday counts
    assert resumed.due_at(CALENDAR) == at("2026-03-11T17:30")
    assert [(step.kind, step.days) for step in resumed.due(CALENDAR).steps] == [
        (StepKind.START, 1),
        (StepKind.COUNTED, 1),
        (StepKind.STOPPED, 2),
        (StepKind.COUNTED, 1),
        (StepKind.WEEKEND, 2),
        (StepKind.COUNTED, 3),
    ]
    assert "2026年3月4日至2026年3月5日暂停计时（补正）" in sentence(resumed.due(CALENDAR), {"supplement": "补正"})


def test_a_stop_within_a_day_costs_nothing():
    clock = Clock(5).start(at("2026-03-02T09:00"))
    assert clock.stop(at("2026-03-04T09:00"), "test").resume(at("2026-03-04T16:00")).due_at(CALENDAR) == clock.due_at(
        CALENDAR
    )


def test_the_last_day_is_a_day_left_until_it_ends():
    clock = Clock(2).start(at("2026-03-02T09:00"))
    assert clock.remaining(at("2026-03-02T23:00"), CALENDAR) == 2
    assert clock.remaining(at("2026-03-03T17:30"), CALENDAR) == 1
    assert clock.remaining(at("2026-03-04T17:29"), CALENDAR) == 1
    assert clock.remaining(at("2026-03-04T17:30"), CALENDAR) == 0
    assert clock.remaining(at("2026-03-05T17:30"), CALENDAR) == -1


def test_a_clock_refuses_turns_out_of_order():
    idle = Clock(5)
    running = idle.start(at("2026-03-02T09:00"))
    stopped = running.stop(at("2026-03-03T09:00"), "hearing")
    with pytest.raises(ClockIsRunning):
        running.start(at("2026-03-03T09:00"))
    with pytest.raises(ClockIsRunning):
        running.resume(at("2026-03-03T09:00"))
    with pytest.raises(ClockIsStopped):
        idle.resume(at("2026-03-03T09:00"))
    with pytest.raises(ClockIsStopped):
        idle.stop(at("2026-03-03T09:00"), "hearing")
    with pytest.raises(ClockIsStopped):
        stopped.stop(at("2026-03-04T09:00"), "hearing")
    with pytest.raises(TimeRunsBack):
        running.stop(at("2026-03-01T09:00"), "hearing")
    with pytest.raises(TimeRunsBack):
        stopped.resume(at("2026-03-02T10:00"))
    with pytest.raises(TimeRunsBack):
        stopped.restart(at("2026-03-02T10:00"))
    with pytest.raises(ValueError, match="working days"):
        Clock(0)
    with pytest.raises(ValueError, match="at least one"):
        running.extend(0, "complex")
    assert idle.due(CALENDAR) is None
    assert idle.used(at("2026-03-02T09:00"), CALENDAR) == 0
