"""The same answers, found the slow way: day by day, minute by minute."""

from datetime import UTC, date, datetime, time, timedelta

from worktime import Calendar, Clock


def working(day: date, calendar: Calendar) -> bool:
    for listed in calendar.lists:
        if day in listed.work:
            return True
        if day in listed.off:
            return False
    return day.weekday() < 5


def due_date(start: date, working_days: int, calendar: Calendar) -> date:
    day = start
    while working_days:
        day += timedelta(days=1)
        working_days -= working(day, calendar)
    return day


def runs_at(clock: Clock, moment: datetime) -> bool:
    return any(
        segment.start < moment and (segment.stop is None or moment <= segment.stop) for segment in clock.segments
    )


def counted_closes(clock: Clock, until: datetime, calendar: Calendar) -> list[datetime]:
    """The ends of office hours that counted by the moment."""
    day = clock.segments[0].start.astimezone(calendar.zone).date()
    closes = []
    while True:
        day += timedelta(days=1)
        close = datetime.combine(day, calendar.office.end, calendar.zone)
        if close > until:
            return closes
        if working(day, calendar) and runs_at(clock, close):
            closes.append(close)


def worked_minutes(first: datetime, last: datetime, calendar: Calendar) -> int:
    """For moments on whole minutes."""
    minutes = 0
    moment = first.astimezone(UTC)
    while moment < last:
        here = moment.astimezone(calendar.zone)
        clock_face = time(here.hour, here.minute)
        if working(here.date(), calendar) and any(a <= clock_face < b for a, b in calendar.office.intervals):
            minutes += 1
        moment += timedelta(minutes=1)
    return minutes
