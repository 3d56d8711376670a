"""How a case ends without a decision: declined (不予受理), withdrawn (撤回), terminated (终止)."""

from dataclasses import replace
from datetime import datetime
from enum import StrEnum

from orchestration.domain.case import UNDECIDED, WITH_DEPARTMENT, Case, Status
from orchestration.domain.filing import Fact, Filing, Happened, Step, end, settled
from orchestration.domain.refusals import (
    CaseAlreadyAccepted,
    CaseAlreadyDecided,
    CaseNotReady,
    FilingNotSubmitted,
    OrganMissing,
    SupplementNotRequested,
    SupplementOpen,
)


class DeclineGround(StrEnum):
    """The grounds of the law for not taking up a case (许可法 Art. 32, 78)."""

    NOT_NEEDED = "NOT_NEEDED"
    NOT_COMPETENT = "NOT_COMPETENT"
    NOT_ELIGIBLE = "NOT_ELIGIBLE"
    FALSE_MATERIAL = "FALSE_MATERIAL"
    ALREADY_HELD = "ALREADY_HELD"
    STILL_INCOMPLETE = "STILL_INCOMPLETE"


class TerminationGround(StrEnum):
    """Why a department ends a case that it cannot or need not decide."""

    APPLICANT_SILENT = "APPLICANT_SILENT"
    APPLICANT_GONE = "APPLICANT_GONE"
    PURPOSE_GONE = "PURPOSE_GONE"
    IMPOSSIBLE_BY_LAW = "IMPOSSIBLE_BY_LAW"


def decline(filing: Filing, case_id: str, *, ground: DeclineGround, competent_organ: str | None, at: datetime) -> Step:
    """Not take up a case; who is not competent names the organ that is, and only then."""
    case = filing.case(case_id)
    if (ground is DeclineGround.NOT_COMPETENT) != (competent_organ is not None):
        raise OrganMissing(case_id=case_id, ground=ground.value)
    if case.status in {Status.ACCEPTED, Status.SPECIAL}:
        raise CaseAlreadyAccepted(case_id=case_id)
    if case.status is Status.SUPPLEMENT:
        raise SupplementOpen(case_id=case_id)
    if ground is DeclineGround.STILL_INCOMPLETE and (case.supplement is None or case.supplement.answered_at is None):
        raise SupplementNotRequested(case_id=case_id)
    declined = _ended(case, Status.DECLINED, at, reason_code=ground.value)
    return end(filing, replace(declined, competent_organ=competent_organ), Happened.CASE_DECLINED, at)


def terminate(filing: Filing, case_id: str, *, reason_code: str, at: datetime) -> Step:
    """End a case without a decision, on a ground of the law."""
    terminated = _ended(filing.case(case_id), Status.TERMINATED, at, reason_code=reason_code)
    return end(filing, terminated, Happened.CASE_TERMINATED, at)


def withdraw(filing: Filing, case_id: str, *, at: datetime) -> Step:
    """Take one case back before it is decided; what is issued after a decision can no longer be held up."""
    case = filing.case(case_id)
    if case.status not in UNDECIDED:
        raise CaseAlreadyDecided(case_id=case_id, status=case.status.value)
    return end(filing, _left(case, Status.WITHDRAWN, at), Happened.CASE_WITHDRAWN, at)


def withdraw_all(filing: Filing, *, at: datetime) -> Step:
    """Take back every case that is not decided; decided ones stay as they are."""
    if filing.submitted_at is None:
        raise FilingNotSubmitted(filing_id=filing.id)
    left = {case.item: _left(case, Status.WITHDRAWN, at) for case in filing.cases if case.status in UNDECIDED}
    if not left:
        raise CaseAlreadyDecided(filing_id=filing.id)
    return settled(filing, left, [Fact(Happened.CASE_WITHDRAWN, case) for case in left.values()], at)


def _ended(case: Case, status: Status, at: datetime, *, reason_code: str) -> Case:
    if case.status is Status.WAITING:
        raise CaseNotReady(case_id=case.id)
    if case.status not in WITH_DEPARTMENT:
        raise CaseAlreadyDecided(case_id=case.id, status=case.status.value)
    return replace(_left(case, status, at), reason_code=reason_code)


def _left(case: Case, status: Status, at: datetime) -> Case:
    return replace(case, status=status, version=case.version + 1, decided_at=at)
