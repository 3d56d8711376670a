from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracle import working
from worktime import Calendar, OfficeHours, YearList, national
from worktime.calendars import library_list

DAYS = st.dates(date(1990, 1, 1), date(2050, 12, 31))


def test_working_days_of_each_month_of_2026():
    per_month = [
        sum(national().is_working_day(date(2026, month, 1) + timedelta(days=n)) for n in range(_days(month)))
        for month in range(1, 13)
    ]
    assert per_month == [21, 16, 22, 21, 19, 21, 23, 21, 22, 18, 21, 23]
    assert sum(per_month) == 248


def _days(month: int) -> int:
    return ((date(2026, month, 28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)).day


@pytest.mark.parametrize("year", [2025, 2026])
def test_the_state_council_and_the_library_agree(year):
    listed = next(listed for listed in national().lists if listed.year == year)
    library = library_list(year)
    assert listed.published_doc is not None
    assert set(listed.off) == set(library.off)
    assert set(listed.work) == set(library.work)


def test_every_year_since_2004_is_listed_with_its_source():
    lists = national().lists
    assert [listed.year for listed in lists[:23]] == list(range(2004, 2027))
    assert all(listed.source for listed in lists)


@given(DAYS)
def test_a_day_is_worked_as_the_lists_say(day):
    assert national().is_working_day(day) == working(day, national())


@given(DAYS)
def test_ranks_rise_by_one_on_working_days_only(day):
    calendar = national()
    assert calendar.rank(day) - calendar.rank(day - timedelta(days=1)) == calendar.is_working_day(day)
    if calendar.is_working_day(day):
        assert calendar.nth(calendar.rank(day)) == day


def test_a_year_without_a_list_is_monday_to_friday_and_uncertain():
    calendar = Calendar(tuple(listed for listed in national().lists if listed.year != 2025))
    assert calendar.is_working_day(date(2025, 10, 1))
    assert not calendar.is_certain(date(2024, 12, 30), date(2026, 1, 4))
    assert calendar.is_certain(date(2026, 1, 1), date(2026, 12, 31))


def test_a_new_list_makes_its_year_certain_and_a_new_version():
    following = max(national().years) + 1
    listed = YearList(following, "a notice", {date(following, 1, 1): "元旦"}, {}, "a document")
    calendar = national().with_list(YearList.from_dict(listed.as_dict()))
    assert not national().is_certain(date(following, 1, 1), date(following, 1, 1))
    assert calendar.is_certain(date(following, 1, 1), date(following, 12, 31))
    assert not calendar.is_working_day(date(following, 1, 1))
    assert calendar.version != national().version
    assert calendar.with_list(listed).version == calendar.version


def test_other_office_hours_are_another_version_of_the_calendar():
    early = national(OfficeHours(((time(9), time(12)), (time(13), time(17)))))
    assert early.close_of(date(2026, 1, 5)).time() == time(17)
    assert early.version != national().version


@pytest.mark.parametrize("intervals", [(), ((time(12), time(8)),), ((time(8), time(12)), (time(11), time(17)))])
def test_office_hours_must_rise(intervals):
    with pytest.raises(ValueError, match="rising"):
        OfficeHours(intervals)


def test_a_moment_needs_its_zone():
    with pytest.raises(ValueError, match="time zone"):
        national().local(datetime(2026, 1, 5, 9))  # noqa: DTZ001 (that is the point)
