"""The limits of an accepted case: stopped for a special procedure, resumed, extended once, near or passed."""

from dataclasses import replace
from datetime import datetime
from enum import StrEnum

from worktime import Calendar, Clock, due

from orchestration.domain.case import Case, Status, timed
from orchestration.domain.filing import Filing, Happened, Step, change_one
from orchestration.domain.refusals import (
    AlreadyExtended,
    CaseAlreadyDecided,
    CaseNotAccepted,
    ClockNotStopped,
    ClockStopped,
    ExtensionUnfit,
    LimitOverdue,
)
from orchestration.domain.terms import Pause, Procedure

LONGEST_EXTENSION = 10  # working days (许可法 Art. 42)
_LONGEST_PAUSE = 250
_YELLOW = 0.2


class Light(StrEnum):
    """How near a limit is (红黄灯)."""

    GREEN = "green"
    YELLOW = "yellow"
    RED = "red"


def stop(filing: Filing, case_id: str, *, procedure: Procedure, days: int, at: datetime, calendar: Calendar) -> Step:
    """Stop the clocks for a special procedure (许可法 Art. 45), for the days that the applicant is told."""
    case = _accepted(filing, case_id)
    if not 0 < days <= _LONGEST_PAUSE:
        raise ExtensionUnfit(case_id=case_id, days=days)
    pause = Pause(procedure, days, since=at, until=due(at, days, calendar).at)
    stopped = replace(case, status=Status.SPECIAL, pause=pause)
    return change_one(
        filing,
        timed(stopped, case.clocks.stopped(at, procedure.value), calendar),
        Happened.CASE_DUE_CHANGED,
        at,
    )


def resume(filing: Filing, case_id: str, *, at: datetime, calendar: Calendar) -> Step:
    """Let the clocks go on: the special procedure is over, or the days that were told are."""
    case = filing.case(case_id)
    if case.status is not Status.SPECIAL:
        raise ClockNotStopped(case_id=case_id)
    resumed = replace(case, status=Status.ACCEPTED, pause=None)
    return change_one(filing, timed(resumed, case.clocks.resumed(at), calendar), Happened.CASE_DUE_CHANGED, at)


def extend(filing: Filing, case_id: str, *, days: int, reason: str, at: datetime, calendar: Calendar) -> Step:
    """Extend the limits, once, as long as they have not passed (许可法 Art. 42)."""
    case = _accepted(filing, case_id)
    if case.clocks.promised.extensions:
        raise AlreadyExtended(case_id=case_id)
    if not 0 < days <= LONGEST_EXTENSION:
        raise ExtensionUnfit(case_id=case_id, days=days)
    if (case.clocks.statutory or case.clocks.promised).is_overdue(at, calendar):
        raise LimitOverdue(case_id=case_id)
    return change_one(filing, timed(case, case.clocks.extended(days, reason), calendar), Happened.CASE_DUE_CHANGED, at)


def light(clock: Clock, *, at: datetime, calendar: Calendar) -> Light:
    """Yellow on the last day or in the last fifth of the limit, red when it has passed; who stands is green."""
    if not clock.is_running:
        return Light.GREEN
    if clock.is_overdue(at, calendar):
        return Light.RED
    near = max(1, clock.total * _YELLOW)
    return Light.YELLOW if clock.remaining(at, calendar) <= near else Light.GREEN


def _accepted(filing: Filing, case_id: str) -> Case:
    case = filing.case(case_id)
    match case.status:
        case Status.ACCEPTED:
            return case
        case Status.SPECIAL:
            raise ClockStopped(case_id=case_id)
        case Status.WAITING | Status.READY | Status.SUPPLEMENT:
            raise CaseNotAccepted(case_id=case_id)
        case _:
            raise CaseAlreadyDecided(case_id=case_id, status=case.status.value)
