import json
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import oracle
import pytest
from hypothesis import given
from hypothesis import strategies as st
from worktime import StepKind, due, due_date, national, sentence, working_days_between

CALENDAR = national()
DAYS = st.dates(date(2004, 1, 1), date(2030, 12, 31))
LIMITS = st.integers(1, 120)


@pytest.mark.parametrize(
    ("start", "working_days", "last"),
    [
        ("2026-02-13", 5, "2026-02-27"),
        ("2026-04-30", 20, "2026-06-01"),
        ("2026-09-30", 5, "2026-10-13"),
        ("2026-09-18", 1, "2026-09-20"),
        ("2026-01-01", 5, "2026-01-08"),
    ],
)
def test_known_due_dates(start, working_days, last):
    at = datetime.fromisoformat(f"{start}T10:00+08:00")
    assert due(at, working_days, CALENDAR).at.isoformat() == f"{last}T17:30:00+08:00"
    assert due(at, working_days, CALENDAR).certain


@given(DAYS, LIMITS)
def test_due_dates_are_those_of_counting_day_by_day(start, working_days):
    assert due_date(start, working_days, CALENDAR) == oracle.due_date(start, working_days, CALENDAR)


@given(DAYS, st.integers(1, 9_999))
def test_each_day_of_the_limit_is_one_working_day_later(start, working_days):
    earlier, later = due_date(start, working_days, CALENDAR), due_date(start, working_days + 1, CALENDAR)
    assert earlier < later
    assert working_days_between(earlier, later, CALENDAR) == 1
    assert working_days_between(start, earlier, CALENDAR) == working_days


@given(DAYS, LIMITS, st.integers(0, 24 * 60 - 1))
def test_the_hour_of_the_start_does_not_matter(day, working_days, minute):
    start = datetime.combine(day, datetime.min.time(), CALENDAR.zone) + timedelta(minutes=minute)
    assert due(start.astimezone(UTC), working_days, CALENDAR).at.date() == due_date(day, working_days, CALENDAR)


@given(DAYS, LIMITS)
def test_the_steps_account_for_every_day(day, working_days):
    counted = due(datetime.combine(day, datetime.min.time(), CALENDAR.zone), working_days, CALENDAR)
    steps = counted.steps
    assert steps[0].kind is StepKind.START
    assert all(before.last + timedelta(days=1) == after.first for before, after in pairwise(steps))
    assert steps[-1].last == counted.at.date()
    assert sum(step.days for step in steps if step.kind in (StepKind.COUNTED, StepKind.MAKE_UP)) == working_days
    assert counted.certain == all(year in CALENDAR.years for year in range(day.year, counted.at.year + 1))


def test_a_due_date_explains_itself():
    counted = due(datetime(2026, 2, 13, 10, tzinfo=CALENDAR.zone), 5, CALENDAR)
    told = json.loads(json.dumps(counted.as_dict()))
    assert told["calendar"] == CALENDAR.version
    assert [(step["kind"], step["first"], step["days"], step["name"]) for step in told["steps"]] == [
        ("start", "2026-02-13", 1, None),
        ("make_up", "2026-02-14", 1, "春节"),
        ("holiday", "2026-02-15", 9, "春节"),
        ("counted", "2026-02-24", 4, None),
    ]
    assert sentence(counted) == (
        "自2026年2月13日起算（当日不计），5个工作日，至2026年2月27日17:30。"
        "其间2026年2月14日调休上班计入，2026年2月15日至2026年2月23日春节放假不计。"
    )


def test_a_due_date_in_a_year_without_a_list_says_so():
    following = max(CALENDAR.years) + 1
    counted = due(datetime(following - 1, 12, 30, 9, tzinfo=CALENDAR.zone), 20, CALENDAR)
    assert not counted.certain
    assert sentence(counted).endswith("暂按周一至周五推算。")


@pytest.mark.parametrize("working_days", [0, -1, 10_001])
def test_a_limit_has_bounds(working_days):
    with pytest.raises(ValueError, match="working days"):
        due_date(date(2026, 1, 1), working_days, CALENDAR)
