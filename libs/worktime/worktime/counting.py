"""Counting working days: when something is due (到期), step by step."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from worktime.calendars import Calendar

LONGEST = 10_000  # working days: some forty years, beyond any legal limit


class StepKind(StrEnum):
    """What a day was to the count."""

    START = "start"
    COUNTED = "counted"
    MAKE_UP = "make_up"
    WEEKEND = "weekend"
    HOLIDAY = "holiday"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Step:
    """Neighbouring days that meant the same to the count; `name` is the holiday or the reason of the stop."""

    kind: StepKind
    first: date
    last: date
    name: str | None = None

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    def as_dict(self) -> dict[str, Any]:
        return {
            "kind": self.kind.value,
            "first": self.first.isoformat(),
            "last": self.last.isoformat(),
            "days": self.days,
            "name": self.name,
        }


@dataclass(frozen=True, slots=True)
class Due:
    """When something must be done (到期时间), and how that was counted.

    `certain` is false when a year on the way has no published list yet: count again once it has.
    """

    at: datetime
    start: datetime
    limit: int
    unit: str
    certain: bool
    calendar: str
    steps: tuple[Step, ...]

    def as_dict(self) -> dict[str, Any]:
        return {
            "at": self.at.isoformat(),
            "start": self.start.isoformat(),
            "limit": self.limit,
            "unit": self.unit,
            "certain": self.certain,
            "calendar": self.calendar,
            "steps": [step.as_dict() for step in self.steps],
        }


def due_date(start: date, working_days: int, calendar: Calendar) -> date:
    """The n-th working day after the start day, which is not counted (民法典 Art. 201)."""
    if not 0 < working_days <= LONGEST:
        raise ValueError(f"a limit is 1 to {LONGEST} working days, not {working_days}")
    return calendar.nth(calendar.rank(start) + working_days)


def due(start: datetime, working_days: int, calendar: Calendar) -> Due:
    """The end of office hours on the n-th working day after the start day, with every step of the count."""
    start = calendar.local(start)
    last = due_date(start.date(), working_days, calendar)
    return Due(
        at=calendar.close_of(last),
        start=start,
        limit=working_days,
        unit="working_days",
        certain=calendar.is_certain(start.date(), last),
        calendar=calendar.version,
        steps=merge([Step(StepKind.START, start.date(), start.date()), *day_steps(start.date(), last, calendar)]),
    )


def working_days_between(start: date, end: date, calendar: Calendar) -> int:
    """How many working days after the start day have come by the end day; negative when the end lies before."""
    return calendar.rank(end) - calendar.rank(start)


def day_steps(after: date, until: date, calendar: Calendar) -> list[Step]:
    """What each day after the first up to the last is to a running count."""
    return [step_of(after + timedelta(days=n), calendar) for n in range(1, (until - after).days + 1)]


def step_of(day: date, calendar: Calendar) -> Step:
    if name := calendar.work.get(day):
        return Step(StepKind.MAKE_UP, day, day, name)
    if name := calendar.off.get(day):
        return Step(StepKind.HOLIDAY, day, day, name)
    return Step(StepKind.COUNTED if calendar.is_working_day(day) else StepKind.WEEKEND, day, day)


def merge(steps: Iterable[Step]) -> tuple[Step, ...]:
    """Neighbouring steps of the same kind and name as one."""
    merged: list[Step] = []
    for step in steps:
        if merged and (merged[-1].kind, merged[-1].name) == (step.kind, step.name):
            merged[-1] = Step(step.kind, merged[-1].first, step.last, step.name)
        else:
            merged.append(step)
    return tuple(merged)
