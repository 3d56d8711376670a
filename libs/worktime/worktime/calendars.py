"""The calendar (工作日历): which days and hours are worked, from published lists."""

import hashlib
import json
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from itertools import pairwise
from typing import Any, Self
from zoneinfo import ZoneInfo

from chinese_calendar.constants import Holiday, holidays, workdays

SHANGHAI = ZoneInfo("Asia/Shanghai")
_SATURDAY = 6  # isoweekday
_FIRST_LISTED = 2004  # the first year chinesecalendar knows


@dataclass(frozen=True, slots=True)
class OfficeHours:
    """When an office is open on a working day (办公时间); the day ends where the last interval ends."""

    intervals: tuple[tuple[time, time], ...] = ((time(8, 30), time(12)), (time(13, 30), time(17, 30)))

    def __post_init__(self) -> None:
        edges = [edge for interval in self.intervals for edge in interval]
        if not edges or any(later <= earlier for earlier, later in pairwise(edges)):
            raise ValueError("office hours must be rising intervals")

    @property
    def end(self) -> time:
        return self.intervals[-1][1]


@dataclass(frozen=True, slots=True)
class YearList:
    """One year's published holidays and make-up work days (节假日安排), each day with the holiday it belongs to."""

    year: int
    source: str
    off: Mapping[date, str]
    work: Mapping[date, str]
    published_doc: str | None = None

    def as_dict(self) -> dict[str, Any]:
        return {
            "year": self.year,
            "source": self.source,
            "published_doc": self.published_doc,
            "off": {day.isoformat(): name for day, name in self.off.items()},
            "work": {day.isoformat(): name for day, name in self.work.items()},
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        return cls(
            year=int(data["year"]),
            source=data["source"],
            published_doc=data.get("published_doc"),
            off={date.fromisoformat(day): name for day, name in data["off"].items()},
            work={date.fromisoformat(day): name for day, name in data["work"].items()},
        )


@dataclass(frozen=True, slots=True)
class Calendar:
    """Working days by published lists; a year without a list is Monday to Friday and makes every answer uncertain.

    Working days are ranked: `rank(day)` is how many there are up to and including the day, `nth(rank)` the way back.
    Within the listed years the rank is a bisection, outside it is arithmetic, so no span is walked day by day.
    """

    lists: tuple[YearList, ...]
    office: OfficeHours = OfficeHours()
    zone: ZoneInfo = SHANGHAI
    version: str = field(init=False)
    off: Mapping[date, str] = field(init=False, repr=False, compare=False)
    work: Mapping[date, str] = field(init=False, repr=False, compare=False)
    years: frozenset[int] = field(init=False, repr=False, compare=False)
    _first: int = field(init=False, repr=False, compare=False)
    _last: int = field(init=False, repr=False, compare=False)
    _worked: tuple[int, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        lists = sorted(self.lists, key=lambda listed: listed.year)
        if not lists or len({listed.year for listed in lists}) != len(lists):
            raise ValueError("a calendar needs lists, one per year")
        # A list may reach into its neighbours' years: the New Year holiday often begins in December.
        off = {day: name for listed in lists for day, name in listed.off.items()}
        work = {day: name for listed in lists for day, name in listed.work.items()}
        listed_days = [*off, *work]
        first = min(date(lists[0].year, 1, 1), *listed_days).toordinal()
        last = max(date(lists[-1].year, 12, 31), *listed_days).toordinal()
        worked = [
            ordinal
            for ordinal in range(first, last + 1)
            if (day := date.fromordinal(ordinal)) in work or (day.isoweekday() < _SATURDAY and day not in off)
        ]
        content = f"{worked}{first}{last}{self.office}{self.zone.key}{sorted(listed.year for listed in lists)}"
        digest = hashlib.sha256(content.encode()).hexdigest()[:8]
        values = {
            "version": f"CN-{lists[-1].year}-{digest}",
            "off": off,
            "work": work,
            "years": frozenset(listed.year for listed in lists),
            "_first": first,
            "_last": last,
            "_worked": tuple(worked),
        }
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def __hash__(self) -> int:
        return hash(self.version)

    def with_list(self, listed: YearList) -> "Calendar":
        """The same calendar with one year's list added or replaced, as when next year's is published."""
        return replace(self, lists=(*(other for other in self.lists if other.year != listed.year), listed))

    def is_working_day(self, day: date) -> bool:
        return day in self.work or (day.isoweekday() < _SATURDAY and day not in self.off)

    def is_certain(self, first: date, last: date) -> bool:
        """Whether every year between the two days has a published list."""
        return all(year in self.years for year in range(first.year, last.year + 1))

    def rank(self, day: date) -> int:
        """How many working days there are up to and including the day."""
        ordinal = day.toordinal()
        if ordinal < self._first:
            return _weekdays_until(ordinal)
        within = bisect_right(self._worked, ordinal)
        beyond = max(0, _weekdays_until(ordinal) - _weekdays_until(self._last))
        return _weekdays_until(self._first - 1) + within + beyond

    def nth(self, rank: int) -> date:
        """The working day of this rank: the inverse of `rank`."""
        before = _weekdays_until(self._first - 1)
        if rank <= before:
            return date.fromordinal(_weekday_of_rank(rank))
        within = rank - before
        if within <= len(self._worked):
            return date.fromordinal(self._worked[within - 1])
        return date.fromordinal(_weekday_of_rank(_weekdays_until(self._last) + within - len(self._worked)))

    def local(self, at: datetime) -> datetime:
        """The moment as the office's clock shows it."""
        if at.tzinfo is None:
            raise ValueError("a moment needs its time zone")
        return at.astimezone(self.zone)

    def close_of(self, day: date) -> datetime:
        """The end of office hours on the day."""
        return datetime.combine(day, self.office.end, self.zone)

    def closes_until(self, at: datetime) -> int:
        """How many working days have ended by the moment."""
        here = self.local(at)
        if here.time() >= self.office.end:
            return self.rank(here.date())
        return self.rank(here.date() - timedelta(days=1))


def _weekdays_until(ordinal: int) -> int:
    # Day 1 of the calendar of dates is a Monday.
    weeks, rest = divmod(ordinal, 7)
    return weeks * 5 + min(rest, 5)


def _weekday_of_rank(rank: int) -> int:
    weeks, rest = divmod(rank - 1, 5)
    return weeks * 7 + rest + 1


def _state_council() -> Iterator[YearList]:
    for listed in json.loads(files("worktime").joinpath("data/state_council.json").read_text("utf-8")):
        yield YearList(
            year=listed["year"],
            source=listed["source"],
            published_doc=listed["published_doc"],
            off={
                date.fromordinal(ordinal): name
                for first, last, name in listed["off"]
                for ordinal in range(date.fromisoformat(first).toordinal(), date.fromisoformat(last).toordinal() + 1)
            },
            work={date.fromisoformat(day): name for day, name in listed["work"]},
        )


def library_list(year: int) -> YearList:
    """One year as the chinesecalendar package knows it."""
    return YearList(
        year=year,
        source=f"chinesecalendar {version('chinesecalendar')}",
        off={day: Holiday(name).chinese for day, name in holidays.items() if day.year == year},
        work={day: Holiday(name).chinese for day, name in workdays.items() if day.year == year},
    )


@cache
def national(office: OfficeHours = OfficeHours()) -> Calendar:
    """The national calendar: chinesecalendar's years, and the State Council's own lists where we hold them."""
    lists = {year: library_list(year) for year in range(_FIRST_LISTED, max(holidays).year + 1)}
    lists |= {listed.year: listed for listed in _state_council()}
    return Calendar(tuple(lists[year] for year in sorted(lists)), office)
