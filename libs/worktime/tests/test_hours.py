from datetime import date, datetime, time, timedelta

import oracle
import pytest
from hypothesis import given
from hypothesis import strategies as st
from worktime import StepKind, due_hours, national, sentence, worked_minutes

CALENDAR = national()


@st.composite
def moments(draw):
    day = draw(st.dates(date(2026, 1, 1), date(2027, 2, 28)))
    return datetime.combine(day, time.min, CALENDAR.zone) + timedelta(minutes=draw(st.integers(0, 24 * 60 - 1)))


@pytest.mark.parametrize(
    ("start", "minutes", "at"),
    [
        ("2026-11-20T09:00", 60, "2026-11-20T10:00"),
        ("2026-11-20T11:30", 60, "2026-11-20T14:00"),  # over noon
        ("2026-11-20T17:00", 60, "2026-11-23T09:00"),  # over the weekend
        ("2026-11-21T12:00", 450, "2026-11-23T17:30"),  # a whole day ends when the office closes
        ("2026-09-19T12:00", 30, "2026-09-20T09:00"),  # into a working Sunday
        ("2026-09-30T17:00", 60, "2026-10-08T09:00"),  # over National Day
    ],
)
def test_known_moments(start, minutes, at):
    counted = due_hours(datetime.fromisoformat(f"{start}+08:00"), minutes, CALENDAR)
    assert counted.at == datetime.fromisoformat(f"{at}+08:00")
    assert worked_minutes(counted.start, counted.at, CALENDAR) == minutes


@given(moments(), st.integers(0, 14 * 24 * 60))
def test_minutes_are_those_of_counting_one_by_one(first, span):
    last = first + timedelta(minutes=span)
    assert worked_minutes(first, last, CALENDAR) == oracle.worked_minutes(first, last, CALENDAR)
    assert worked_minutes(last, first, CALENDAR) == -worked_minutes(first, last, CALENDAR)


@given(moments(), st.integers(1, 30 * 450))
def test_the_due_moment_is_the_first_with_so_many_minutes(start, minutes):
    counted = due_hours(start, minutes, CALENDAR)
    assert worked_minutes(start, counted.at, CALENDAR) == minutes
    assert worked_minutes(start, counted.at - timedelta(minutes=1), CALENDAR) == minutes - 1
    assert counted.steps[-1].last == counted.at.date()


def test_an_evening_start_counts_from_the_next_day():
    counted = due_hours(datetime(2026, 11, 20, 18, tzinfo=CALENDAR.zone), 30, CALENDAR)
    assert [step.kind for step in counted.steps] == [StepKind.START, StepKind.WEEKEND, StepKind.COUNTED]
    assert sentence(counted) == "自2026年11月20日18:00起算，30分钟工作时，至2026年11月23日09:00。"


@pytest.mark.parametrize("minutes", [0, -5])
def test_a_limit_has_bounds(minutes):
    with pytest.raises(ValueError, match="working minutes"):
        due_hours(datetime(2026, 11, 20, 9, tzinfo=CALENDAR.zone), minutes, CALENDAR)
