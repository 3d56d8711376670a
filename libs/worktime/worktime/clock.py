"""The clock of a legal limit (期限): it runs in segments, can be stopped, extended and begun again."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, Self

from worktime.calendars import Calendar
from worktime.counting import LONGEST, Due, Step, StepKind, merge, step_of


class ClockIsRunning(ValueError):
    """Only a clock that stands can be started or resumed."""


class ClockIsStopped(ValueError):
    """Only a clock that runs can be stopped; only one that has run can be resumed."""


class TimeRunsBack(ValueError):
    """A clock's next turn cannot lie before its last."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch in which the clock ran; `reason` says why it was stopped."""

    start: datetime
    stop: datetime | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Extension:
    """Working days added to the limit, and on what ground."""

    days: int
    reason: str


@dataclass(frozen=True, slots=True)
class Clock:
    """A limit in working days and the segments in which it ran.

    A working day counts when the clock runs at its end of office hours. So the day of a stop does not count, the day
    of the resumption does, and a stop that is over before the day ends costs nothing: the due date moves by exactly
    the day-ends that lie in the stop. The day of the first start is not counted, whenever in it the clock began.
    """

    limit: int
    segments: tuple[Segment, ...] = ()
    extensions: tuple[Extension, ...] = ()

    def __post_init__(self) -> None:
        if not 0 < self.limit + sum(extension.days for extension in self.extensions) <= LONGEST or self.limit < 1:
            raise ValueError(f"a limit is 1 to {LONGEST} working days")

    @property
    def total(self) -> int:
        """The limit with its extensions."""
        return self.limit + sum(extension.days for extension in self.extensions)

    @property
    def is_running(self) -> bool:
        return bool(self.segments) and self.segments[-1].stop is None

    @property
    def stopped_for(self) -> str | None:
        """Why a stopped clock stands."""
        return self.segments[-1].reason if self.segments else None

    def start(self, at: datetime) -> "Clock":
        if self.segments:
            raise ClockIsRunning(at)
        return replace(self, segments=(Segment(_aware(at)),))

    def stop(self, at: datetime, reason: str) -> "Clock":
        """Stop for a named reason, such as a supplement or a hearing (许可法 Art. 45)."""
        if not self.is_running:
            raise ClockIsStopped(at)
        last = self.segments[-1]
        if _aware(at) < last.start:
            raise TimeRunsBack(at)
        return replace(self, segments=(*self.segments[:-1], Segment(last.start, at, reason)))

    def resume(self, at: datetime) -> "Clock":
        """Go on with what is left."""
        if not self.segments:
            raise ClockIsStopped(at)
        stopped = self.segments[-1].stop
        if stopped is None:
            raise ClockIsRunning(at)
        if _aware(at) < stopped:
            raise TimeRunsBack(at)
        return replace(self, segments=(*self.segments, Segment(at)))

    def extend(self, days: int, reason: str) -> "Clock":
        """Add working days; a due date that has passed moves too, so whoever may not extend it refuses before."""
        if days < 1:
            raise ValueError("an extension adds at least one working day")
        return replace(self, extensions=(*self.extensions, Extension(days, reason)))

    def restart(self, at: datetime) -> "Clock":
        """Begin the bare limit anew; what was before stands in the journal of whoever keeps the clock."""
        if self.segments and _aware(at) < (self.segments[-1].stop or self.segments[-1].start):
            raise TimeRunsBack(at)
        return Clock(self.limit, (Segment(_aware(at)),))

    def used(self, at: datetime, calendar: Calendar) -> int:
        """How many working days have counted by the moment."""
        if not self.segments:
            return 0
        return sum(self._counted(segment, calendar, at) for segment in self.segments)

    def remaining(self, at: datetime, calendar: Calendar) -> int:
        """How many working days are left; 1 on the last day until it ends, negative by the days overdue."""
        return self.total - self.used(at, calendar)

    def due_at(self, calendar: Calendar) -> datetime | None:
        """When the limit ends; None while the clock stands with something left."""
        left = self.total
        for segment in self.segments:
            counted = self._counted(segment, calendar)
            if segment.stop is None or counted >= left:
                return calendar.close_of(calendar.nth(self._rank_at_start(segment, calendar) + left))
            left -= counted
        return None

    def due(self, calendar: Calendar) -> Due | None:
        """When the limit ends, with every step of the count; None while the clock stands with something left."""
        at = self.due_at(calendar)
        if at is None:
            return None
        start = calendar.local(self.segments[0].start)
        first, last = start.date(), at.date()
        days = (first + timedelta(days=n) for n in range(1, (last - first).days + 1))
        return Due(
            at=at,
            start=start,
            limit=self.total,
            unit="working_days",
            certain=calendar.is_certain(first, last),
            calendar=calendar.version,
            steps=merge([Step(StepKind.START, first, first), *(self._step(day, calendar) for day in days)]),
        )

    def is_overdue(self, at: datetime, calendar: Calendar) -> bool:
        due_at = self.due_at(calendar)
        return due_at is not None and _aware(at) > due_at

    def as_dict(self) -> dict[str, Any]:
        return {
            "limit": self.limit,
            "segments": [
                {
                    "start": segment.start.isoformat(),
                    "stop": segment.stop.isoformat() if segment.stop else None,
                    "reason": segment.reason,
                }
                for segment in self.segments
            ],
            "extensions": [{"days": extension.days, "reason": extension.reason} for extension in self.extensions],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        return cls(
            limit=data["limit"],
            segments=tuple(
                Segment(
                    datetime.fromisoformat(segment["start"]),
                    datetime.fromisoformat(segment["stop"]) if segment["stop"] else None,
                    segment["reason"],
                )
                for segment in data["segments"]
            ),
            extensions=tuple(Extension(extension["days"], extension["reason"]) for extension in data["extensions"]),
        )

    def _rank_at_start(self, segment: Segment, calendar: Calendar) -> int:
        start_day = calendar.local(self.segments[0].start).date()
        return max(calendar.closes_until(segment.start), calendar.rank(start_day))

    def _counted(self, segment: Segment, calendar: Calendar, at: datetime | None = None) -> int:
        ends = [moment for moment in (segment.stop, at) if moment is not None]
        if not ends:
            return 0
        return max(0, calendar.closes_until(min(ends)) - self._rank_at_start(segment, calendar))

    def _step(self, day: date, calendar: Calendar) -> Step:
        close = calendar.close_of(day)
        before = [segment for segment in self.segments if segment.start < close]
        if before and before[-1].stop is not None and before[-1].stop < close and calendar.is_working_day(day):
            return Step(StepKind.STOPPED, day, day, before[-1].reason)
        return step_of(day, calendar)


def _aware(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise ValueError("a moment needs its time zone")
    return at
