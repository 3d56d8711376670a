"""Facts of the rules as facts on the bus."""

from datetime import UTC, datetime

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from tongban.orchestration.v1 import case_events_pb2 as case_pb
from tongban.orchestration.v1 import filing_events_pb2 as filing_pb

from orchestration.domain.case import Case, Status
from orchestration.domain.filing import Fact, Filing, Happened


def filing_fact(filing: Filing, fact: Fact, at: datetime) -> Message:
    """One fact of a step, for whoever listens."""
    if fact.case is not None:
        return _case_fact(filing, fact.case, fact.happened, at)
    if fact.happened is Happened.FILING_SUBMITTED:
        return filing_pb.FilingSubmitted(
            filing_id=filing.id,
            filing_no=filing.no or "",
            matter_code=filing.matter_code,
            matter_version=filing.matter_version,
            region_code=filing.region_code,
            cases=len(filing.cases),
            submitted_at=_moment(at),
            applicant_id=filing.applicant_id,
        )
    return filing_pb.FilingClosed(
        filing_id=filing.id,
        version=filing.version,
        closed_at=_moment(at),
        applicant_id=filing.applicant_id,
        filing_no=filing.no or "",
    )


def matter_published(code: str, version: int, at: datetime) -> Message:
    return filing_pb.MatterPublished(matter_code=code, version=version, published_at=_moment(at))


def _case_fact(filing: Filing, case: Case, happened: Happened, at: datetime) -> Message:
    match happened:
        case Happened.CASE_READY:
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
            )
        case Happened.CASE_ACCEPTED:
            return case_pb.CaseAccepted(
                case_id=case.id,
                filing_id=filing.id,
                version=case.version,
                accepted_at=_moment(at),
                promised_due_at=_moment(case.promised_due_at),
                statutory_due_at=_moment(case.statutory_due_at),
            )
        case Happened.CASE_DECIDED:
            approved = case.status is Status.APPROVED
            return case_pb.CaseDecided(
                case_id=case.id,
                filing_id=filing.id,
                version=case.version,
                outcome=case_pb.OUTCOME_APPROVED if approved else case_pb.OUTCOME_REFUSED,
                decided_at=_moment(at),
                applicant_id=filing.applicant_id,
                case_no=case.no,
                item_name=case.item_name,
            )
        case Happened.CASE_PRUNED:
            return case_pb.CasePruned(case_id=case.id, filing_id=filing.id, version=case.version, pruned_at=_moment(at))
        case _:
            return case_pb.CaseResultIssued(
                case_id=case.id,
                filing_id=filing.id,
                version=case.version,
                licence_id=case.licence_id or "",
                issued_at=_moment(at),
            )


def _moment(at: datetime | None) -> Timestamp | None:
    if at is None:
        return None
    moment = Timestamp()
    moment.FromDatetime(at.astimezone(UTC))
    return moment
