"""Timers (定时): what happens to a case by itself, and when. They follow from the case, so none can be forgotten."""

from datetime import datetime
from enum import StrEnum

from worktime import Calendar, due_date

from orchestration.domain import endings, limits
from orchestration.domain import filing as rules
from orchestration.domain.case import Case, Status
from orchestration.domain.filing import Fact, Filing, Happened, Step


class TimerKind(StrEnum):
    """What a timer brings about."""

    ACCEPTANCE = "acceptance"
    SUPPLEMENT = "supplement"
    ABSENCE = "absence"
    RESUMPTION = "resumption"
    PROMISED = "promised"
    STATUTORY = "statutory"


_OVERDUE = {
    TimerKind.PROMISED: Happened.CASE_PROMISED_OVERDUE,
    TimerKind.STATUTORY: Happened.CASE_STATUTORY_OVERDUE,
}
UNANSWERED = "SUPPLEMENT_UNANSWERED"
UNSUPPLIED = "MATERIALS_UNSUPPLIED"


def timers_of(case: Case, calendar: Calendar) -> dict[TimerKind, datetime]:
    """The timers that a case has as it is now."""
    match case.status:
        case Status.READY if case.ready_at is not None:
            last = due_date(calendar.local(case.ready_at).date(), case.terms.acceptance_days, calendar)
            return {TimerKind.ACCEPTANCE: calendar.close_of(last)}
        case Status.SUPPLEMENT if case.supplement is not None:
            return {TimerKind.SUPPLEMENT: case.supplement.due_at}
        case Status.SPECIAL if case.pause is not None:
            return {TimerKind.RESUMPTION: case.pause.until}
        case Status.ACCEPTED:
            found = {
                TimerKind.PROMISED: case.promised_due_at,
                TimerKind.STATUTORY: case.statutory_due_at,
                TimerKind.ABSENCE: case.absence.due_at if case.absence is not None and case.absence.is_open else None,
            }
            return {kind: at for kind, at in found.items() if at is not None}
        case _:
            return {}


def fire(filing: Filing, case_id: str, kind: TimerKind, *, at: datetime, calendar: Calendar) -> Step:
    """Let happen what is due; a timer that its case has outlived changes nothing."""
    case = filing.case(case_id)
    due_at = timers_of(case, calendar).get(kind)
    if due_at is None or due_at > at:
        return Step(filing, (), ())
    match kind:
        case TimerKind.ACCEPTANCE:
            # Who says nothing in time has accepted on the day the material came in (许可法 Art. 32).
            return rules.accept(filing, case_id, at=case.ready_at or at, calendar=calendar)
        case TimerKind.SUPPLEMENT:
            return endings.terminate(filing, case_id, reason_code=UNANSWERED, at=at)
        case TimerKind.ABSENCE:
            return rules.refuse(filing, case_id, reason_code=UNSUPPLIED, at=at)
        case TimerKind.RESUMPTION:
            return limits.resume(filing, case_id, at=due_at, calendar=calendar)
        case TimerKind.PROMISED | TimerKind.STATUTORY:
            return Step(filing, (), (Fact(_OVERDUE[kind], case),))
