"""Facts of the rules as facts on the bus."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from tongban.orchestration.v1 import case_events_pb2 as case_pb
from tongban.orchestration.v1 import evidence_events_pb2 as evidence_pb
from tongban.orchestration.v1 import filing_events_pb2 as filing_pb

from orchestration.domain.case import Case, Status
from orchestration.domain.delivery import Delivery
from orchestration.domain.filing import Fact, Filing, Happened


def filing_fact(filing: Filing, fact: Fact, at: datetime) -> Message:
    """One fact of a step, for whoever listens."""
    if fact.case is not None:
        return _OF_A_CASE[fact.happened](filing, fact.case, at)
    if fact.happened is Happened.FILING_SUBMITTED:
        return filing_pb.FilingSubmitted(
            filing_id=filing.id,
            filing_no=filing.no or "",
            matter_code=filing.matter_code,
            matter_version=filing.matter_version,
            region_code=filing.region_code,
            cases=len(filing.cases),
            submitted_at=_moment(at),
            applicant_id=filing.told_id,
            legal_person_id=filing.on_behalf_of or "",
        )
    if fact.happened is Happened.FILING_ARCHIVED:
        return filing_pb.FilingArchived(
            filing_id=filing.id,
            version=filing.version,
            archived_at=_moment(at),
            applicant_id=filing.told_id,
            filing_no=filing.no or "",
        )
    return filing_pb.FilingClosed(
        filing_id=filing.id,
        version=filing.version,
        closed_at=_moment(at),
        applicant_id=filing.told_id,
        filing_no=filing.no or "",
        legal_person_id=filing.on_behalf_of or "",
        matter_code=filing.matter_code,
    )


def evidence_changed(case: Case, filing_id: str, requirement: str, change: str, at: datetime) -> Message:
    return evidence_pb.CaseEvidenceChanged(
        case_id=case.id, filing_id=filing_id, requirement=requirement, change=change, changed_at=_moment(at)
    )


def case_delivered(filing: Filing, case: Case, delivery: Delivery) -> Message:
    return case_pb.CaseDelivered(
        **_told(filing, case),
        document_id=delivery.document_id,
        mode=delivery.mode.value if delivery.mode else "",
        delivered_at=_moment(delivery.delivered_at),
        org_path=case.org_path,
    )


def matter_published(code: str, version: int, at: datetime) -> Message:
    return filing_pb.MatterPublished(matter_code=code, version=version, published_at=_moment(at))


def filing_proposed(filing: Filing, matter_name: str, *, due_at: datetime, at: datetime) -> Message:
    return filing_pb.FilingProposed(
        filing_id=filing.id,
        matter_code=filing.matter_code,
        matter_version=filing.matter_version,
        matter_name=matter_name,
        applicant_id=filing.told_id,
        proposed_at=_moment(at),
        due_at=_moment(due_at),
    )


def _ready(filing: Filing, case: Case, at: datetime) -> Message:
    return case_pb.CaseReady(
        case_id=case.id,
        filing_id=filing.id,
        case_no=case.no,
        matter_code=filing.matter_code,
        item_code=case.item,
        item_name=case.item_name,
        org_id=case.org_id,
        org_path=case.org_path,
        region_code=case.region_code,
        version=case.version,
        ready_at=_moment(at),
        app=case.app or "",
    )


def _accepted(filing: Filing, case: Case, _at: datetime) -> Message:
    return case_pb.CaseAccepted(
        **_named(filing, case),
        accepted_at=_moment(case.accepted_at),
        promised_due_at=_moment(case.promised_due_at),
        statutory_due_at=_moment(case.statutory_due_at),
    )


def _decided(filing: Filing, case: Case, at: datetime) -> Message:
    approved = case.status is Status.APPROVED
    outcome = case_pb.OUTCOME_APPROVED if approved else case_pb.OUTCOME_REFUSED
    return case_pb.CaseDecided(**_told(filing, case), outcome=outcome, decided_at=_moment(at))


def _pruned(filing: Filing, case: Case, at: datetime) -> Message:
    return case_pb.CasePruned(**_named(filing, case), pruned_at=_moment(at))


def _issued(filing: Filing, case: Case, at: datetime) -> Message:
    return case_pb.CaseResultIssued(**_named(filing, case), licence_id=case.licence_id or "", issued_at=_moment(at))


def _declined(filing: Filing, case: Case, at: datetime) -> Message:
    return case_pb.CaseDeclined(**_told(filing, case), reason_code=case.reason_code or "", declined_at=_moment(at))


def _withdrawn(filing: Filing, case: Case, at: datetime) -> Message:
    return case_pb.CaseWithdrawn(**_named(filing, case), withdrawn_at=_moment(at))


def _terminated(filing: Filing, case: Case, at: datetime) -> Message:
    return case_pb.CaseTerminated(**_told(filing, case), reason_code=case.reason_code or "", terminated_at=_moment(at))


def _supplement_requested(filing: Filing, case: Case, at: datetime) -> Message:
    due_at = case.supplement.due_at if case.supplement else None
    return case_pb.CaseSupplementRequested(**_told(filing, case), requested_at=_moment(at), due_at=_moment(due_at))


def _supplemented(filing: Filing, case: Case, at: datetime) -> Message:
    return case_pb.CaseSupplemented(**_named(filing, case), supplemented_at=_moment(at))


def _due_changed(filing: Filing, case: Case, at: datetime) -> Message:
    return case_pb.CaseDueChanged(
        **_told(filing, case),
        changed_at=_moment(at),
        promised_due_at=_moment(case.promised_due_at),
        statutory_due_at=_moment(case.statutory_due_at),
    )


def _corrected(filing: Filing, case: Case, at: datetime) -> Message:
    return case_pb.CaseCorrected(**_told(filing, case), corrected_at=_moment(at))


def _promised_overdue(filing: Filing, case: Case, _at: datetime) -> Message:
    return case_pb.CasePromisedOverdue(
        **_named(filing, case), due_at=_moment(case.promised_due_at), org_path=case.org_path
    )


def _statutory_overdue(filing: Filing, case: Case, _at: datetime) -> Message:
    return case_pb.CaseStatutoryOverdue(
        **_named(filing, case), due_at=_moment(case.statutory_due_at), org_path=case.org_path
    )


_OF_A_CASE: Mapping[Happened, Callable[[Filing, Case, datetime], Message]] = {
    Happened.CASE_READY: _ready,
    Happened.CASE_ACCEPTED: _accepted,
    Happened.CASE_DECIDED: _decided,
    Happened.CASE_PRUNED: _pruned,
    Happened.CASE_RESULT_ISSUED: _issued,
    Happened.CASE_DECLINED: _declined,
    Happened.CASE_WITHDRAWN: _withdrawn,
    Happened.CASE_TERMINATED: _terminated,
    Happened.CASE_SUPPLEMENT_REQUESTED: _supplement_requested,
    Happened.CASE_SUPPLEMENTED: _supplemented,
    Happened.CASE_CORRECTED: _corrected,
    Happened.CASE_DUE_CHANGED: _due_changed,
    Happened.CASE_PROMISED_OVERDUE: _promised_overdue,
    Happened.CASE_STATUTORY_OVERDUE: _statutory_overdue,
}


def _named(filing: Filing, case: Case) -> dict[str, Any]:
    return {"case_id": case.id, "filing_id": filing.id, "version": case.version}


def _told(filing: Filing, case: Case) -> dict[str, Any]:
    """What a fact that the applicant is told of names besides."""
    told = {"applicant_id": filing.told_id, "case_no": case.no, "item_name": case.item_name}
    whose = {"legal_person_id": filing.on_behalf_of or "", "matter_code": filing.matter_code}
    return _named(filing, case) | told | whose


def _moment(at: datetime | None) -> Timestamp | None:
    if at is None:
        return None
    moment = Timestamp()
    moment.FromDatetime(at.astimezone(UTC))
    return moment
