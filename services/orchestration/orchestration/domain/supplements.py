"""What a case lacks: asked for once (补正), or tolerated as missing for a while (容缺受理)."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from worktime import Calendar, due

from orchestration.domain import case as rules
from orchestration.domain.case import Case, Status
from orchestration.domain.filing import Filing, Happened, Step, change_one
from orchestration.domain.refusals import (
    AbsenceNotTolerated,
    AbsenceUnfit,
    CaseAlreadyAccepted,
    CaseAlreadyDecided,
    CaseNotReady,
    FilingAlreadySubmitted,
    SupplementAlreadyRequested,
    SupplementNotRequested,
    SupplementUnfit,
)
from orchestration.domain.terms import Absence, Supplement, SupplementKind


def request_supplement(
    filing: Filing,
    case_id: str,
    *,
    kind: SupplementKind,
    fields: Sequence[str],
    materials: Sequence[str],
    at: datetime,
    calendar: Calendar,
) -> Step:
    """Ask for everything that is missing, at once; a request that was withdrawn was the one there is, too."""
    case = filing.case(case_id)
    match case.status:
        case Status.WAITING:
            raise CaseNotReady(case_id=case_id)
        case Status.ACCEPTED | Status.SPECIAL:
            raise CaseAlreadyAccepted(case_id=case_id)
        case Status.READY if case.supplement is None:
            pass
        case Status.READY | Status.SUPPLEMENT:
            raise SupplementAlreadyRequested(case_id=case_id)
        case _:
            raise CaseAlreadyDecided(case_id=case_id, status=case.status.value)
    if not fields and not materials:
        raise SupplementUnfit(case_id=case_id)
    asked = Supplement(
        kind, tuple(fields), tuple(materials), at, due_at=due(at, case.terms.supplement_days, calendar).at
    )
    waiting = replace(case, status=Status.SUPPLEMENT, version=case.version + 1, supplement=asked)
    return change_one(filing, waiting, Happened.CASE_SUPPLEMENT_REQUESTED, at)


def withdraw_request(filing: Filing, case_id: str, *, at: datetime) -> Step:
    """The department needs nothing more: its time to accept runs from when the case was ready."""
    case, asked = _asked(filing, case_id)
    ready = replace(case, status=Status.READY, version=case.version + 1, supplement=replace(asked, withdrawn_at=at))
    return change_one(filing, ready, Happened.CASE_SUPPLEMENTED, at)


def answer_supplement(filing: Filing, case_id: str, *, fields: Sequence[str], at: datetime) -> Step:
    """The applicant gives all that was asked for and nothing else; the department's time begins anew."""
    case, asked = _asked(filing, case_id)
    if set(fields) != set(asked.fields):
        raise SupplementUnfit(case_id=case_id, fields=list(asked.fields))
    ready = replace(
        case,
        status=Status.READY,
        version=case.version + 1,
        ready_at=at,
        supplement=replace(asked, answered_at=at),
    )
    return change_one(filing, ready, Happened.CASE_SUPPLEMENTED, at)


def tolerate(
    filing: Filing, case_id: str, *, missing: Sequence[str], minor: frozenset[str], at: datetime, calendar: Calendar
) -> Step:
    """Accept although minor materials are missing, which must be there in time."""
    accepted = rules.accept(filing.case(case_id), at=at, calendar=calendar)
    if not missing or not minor.issuperset(missing):
        raise AbsenceUnfit(case_id=case_id, materials=sorted(minor))
    absence = Absence(tuple(missing), due_at=due(at, accepted.terms.absence_days, calendar).at)
    return change_one(filing, replace(accepted, absence=absence), Happened.CASE_ACCEPTED, at)


def supply(filing: Filing, case_id: str, *, at: datetime) -> Step:
    """What was tolerated as missing is there."""
    case = filing.case(case_id)
    if case.status not in {Status.ACCEPTED, Status.SPECIAL} or case.absence is None or not case.absence.is_open:
        raise AbsenceNotTolerated(case_id=case_id)
    supplied = replace(case, version=case.version + 1, absence=replace(case.absence, supplied_at=at))
    return change_one(filing, supplied, Happened.CASE_SUPPLEMENTED, at)


def check_requested(filing: Filing, requirement: str) -> datetime:
    """Of a submitted filing only what is asked for may be uploaded, as long as it is; tells since when it is."""
    asked = _open_materials(filing)
    if not asked:
        raise FilingAlreadySubmitted(filing_id=filing.id)
    if requirement not in asked:
        raise SupplementUnfit(filing_id=filing.id, materials=sorted(asked))
    return asked[requirement]


def _open_materials(filing: Filing) -> dict[str, datetime]:
    """The materials that cases of a filing wait for, with the moment at which the first began to wait."""
    asked: dict[str, datetime] = {}
    for case in filing.cases:
        match case.status:
            case Status.SUPPLEMENT if case.supplement is not None:
                materials, since = case.supplement.materials, case.supplement.requested_at
            case Status.ACCEPTED | Status.SPECIAL if case.absence is not None and case.absence.is_open:
                materials, since = case.absence.materials, case.accepted_at or case.absence.due_at
            case _:
                continue
        asked |= {material: min(since, asked.get(material, since)) for material in materials}
    return asked


def _asked(filing: Filing, case_id: str) -> tuple[Case, Supplement]:
    case = filing.case(case_id)
    if case.status is not Status.SUPPLEMENT or case.supplement is None:
        raise SupplementNotRequested(case_id=case_id)
    return case, case.supplement
