"""Working hours (工作时): minutes that lie within office hours of working days."""

from datetime import datetime, time, timedelta

from worktime.calendars import Calendar
from worktime.counting import LONGEST, Due, Step, StepKind, day_steps, merge, step_of

_MINUTE = 60_000_000  # everything here is counted in whole microseconds


def due_hours(start: datetime, minutes: int, calendar: Calendar) -> Due:
    """The first moment at which so many working minutes have passed since the start, which counts from itself."""
    if not 0 < minutes <= LONGEST * 60:
        raise ValueError(f"a limit is 1 to {LONGEST * 60} working minutes, not {minutes}")
    start = calendar.local(start)
    whole_days, rest = divmod(_worked_until(start, calendar) + minutes * _MINUTE - 1, _per_day(calendar))
    last = calendar.nth(whole_days + 1)
    first = start.date()
    opening = step_of(first, calendar) if _worked_on(start, calendar) < _per_day(calendar) else None
    return Due(
        at=_moment(datetime.combine(last, time.min, calendar.zone), rest + 1, calendar),
        start=start,
        limit=minutes,
        unit="working_minutes",
        certain=calendar.is_certain(first, last),
        calendar=calendar.version,
        steps=merge([opening or Step(StepKind.START, first, first), *day_steps(first, last, calendar)]),
    )


def worked_minutes(first: datetime, last: datetime, calendar: Calendar) -> int:
    """How many whole working minutes lie between two moments; negative when the last lies before the first."""
    passed = _worked_until(calendar.local(last), calendar) - _worked_until(calendar.local(first), calendar)
    return passed // _MINUTE if passed >= 0 else -(-passed // _MINUTE)


def _worked_until(at: datetime, calendar: Calendar) -> int:
    today = at.date()
    if not calendar.is_working_day(today):
        return calendar.rank(today) * _per_day(calendar)
    return (calendar.rank(today) - 1) * _per_day(calendar) + _worked_on(at, calendar)


def _worked_on(at: datetime, calendar: Calendar) -> int:
    now = _since_midnight(at)
    return sum(max(0, min(now, closes) - opens) for opens, closes in _intervals(calendar))


def _moment(midnight: datetime, worked: int, calendar: Calendar) -> datetime:
    for opens, closes in _intervals(calendar):
        if worked <= closes - opens:
            return midnight + timedelta(microseconds=opens + worked)
        worked -= closes - opens
    raise ValueError("more work than a day has")


def _per_day(calendar: Calendar) -> int:
    return sum(closes - opens for opens, closes in _intervals(calendar))


def _intervals(calendar: Calendar) -> list[tuple[int, int]]:
    return [(_since_midnight(opens), _since_midnight(closes)) for opens, closes in calendar.office.intervals]


def _since_midnight(at: datetime | time) -> int:
    return ((at.hour * 60 + at.minute) * 60 + at.second) * 1_000_000 + at.microsecond
