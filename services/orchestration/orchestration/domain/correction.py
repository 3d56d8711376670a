"""Corrections (更正): a clerical error of a decision is put right; the decision stands, supplemented and dated."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from orchestration.domain.case import Status
from orchestration.domain.filing import Filing, Happened, Step, change_one, refuse_archived
from orchestration.domain.refusals import CaseNotDecided, CorrectionUnfit, ResultNotIssued

_GRANTED = frozenset({Status.APPROVED, Status.CERTIFICATE_MADE})
_DECIDED = _GRANTED | {Status.REFUSED, Status.DECLINED, Status.TERMINATED}


@dataclass(frozen=True, slots=True)
class Stated:
    """What a decision states: the fields of its result, or why it went against the applicant."""

    result: Mapping[str, Any] | None = None
    explanation: str | None = None


@dataclass(frozen=True, slots=True)
class Correction:
    """What was wrong in a decision, what is right, and why; kept for as long as the case is."""

    correction_id: str
    case_id: str
    filing_id: str
    reason: str
    before: Stated
    after: Stated
    corrected_at: datetime


def correct(filing: Filing, case_id: str, *, is_issuing: bool, at: datetime) -> Step:
    """Correct a decision that the department made, once its licence is there in the version before."""
    refuse_archived(filing)
    case = filing.case(case_id)
    if case.status not in _DECIDED:
        raise CaseNotDecided(case_id=case_id, status=case.status.value)
    if is_issuing or (case.status is Status.APPROVED and case.gives_licence):
        raise ResultNotIssued(case_id=case_id)
    return change_one(filing, replace(case, version=case.version + 1), Happened.CASE_CORRECTED, at)


def restate(case_id: str, status: Status, before: Stated, right: Stated) -> Stated:
    """State what is right: a result where one was given, an explanation where none was, and something else than was."""
    fits = right.explanation is None if status in _GRANTED else right.result is None
    after = Stated(
        result=before.result if right.result is None else {**(before.result or {}), **right.result},
        explanation=before.explanation if right.explanation is None else right.explanation,
    )
    if not fits or after == before:
        raise CorrectionUnfit(case_id=case_id)
    return after
