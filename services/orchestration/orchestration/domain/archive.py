"""The archive (归档): a closed filing whose decisions arrived rests, told apart from any other by its manifest."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from orchestration.domain.case import Case, Status
from orchestration.domain.correction import Correction, Stated
from orchestration.domain.definition import canonical
from orchestration.domain.delivery import Delivery
from orchestration.domain.filing import Dossier, Fact, Filing, Happened, State, Step


@dataclass(frozen=True, slots=True)
class ArchivedCase:
    """A case as it rests: its decision and corrections by their digests, and when its documents arrived."""

    case_id: str
    case_no: str
    item: str
    item_name: str
    org_path: str
    status: Status
    decided_at: datetime | None
    licence_id: str | None
    decision: str
    corrections: tuple[str, ...]
    delivered_at: tuple[datetime | None, ...]


@dataclass(frozen=True, slots=True)
class ArchivedPaper:
    """A document or an attachment, by its digest."""

    paper_id: str
    kind: str
    digest: str


@dataclass(frozen=True, slots=True)
class JournalRange:
    """From which act to which the journal tells of the filing, and the digest of all between."""

    first: str
    last: str
    entries: int
    digest: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """All that a filing consisted of when it was archived."""

    filing_id: str
    filing_no: str
    matter_code: str
    matter_version: int
    region_code: str
    submitted_at: datetime | None
    closed_at: datetime | None
    archived_at: datetime
    content: str
    cases: tuple[ArchivedCase, ...]
    documents: tuple[ArchivedPaper, ...]
    attachments: tuple[ArchivedPaper, ...]
    journal: JournalRange


@dataclass(frozen=True, slots=True)
class Holdings:
    """What there is of a filing besides itself."""

    stated: Mapping[str, Stated]
    corrections: Sequence[Correction]
    deliveries: Sequence[Delivery]
    documents: tuple[ArchivedPaper, ...]
    attachments: tuple[ArchivedPaper, ...]
    journal: Sequence[Mapping[str, Any]]


def archive(filing: Filing, deliveries: Sequence[Delivery], *, days: int, is_calling: bool, at: datetime) -> Step:
    """Let a filing rest, so many days after it closed, when nothing is on its way to its applicant any more."""
    rests = (
        filing.state is State.CLOSED
        and filing.closed_at is not None
        and filing.closed_at + timedelta(days=days) <= at
        and not is_calling
        and all(not delivery.is_open or delivery.due_at <= at for delivery in deliveries)
    )
    if not rests:
        return Step(filing, (), ())
    archived = replace(filing, state=State.ARCHIVED, version=filing.version + 1)
    return Step(archived, (), (Fact(Happened.FILING_ARCHIVED),))


def manifest_of(dossier: Dossier, holdings: Holdings, *, at: datetime) -> Manifest:
    """List what a filing consists of, each by its digest."""
    filing, journal = dossier.filing, holdings.journal
    return Manifest(
        filing_id=filing.id,
        filing_no=filing.no or "",
        matter_code=filing.matter_code,
        matter_version=filing.matter_version,
        region_code=filing.region_code,
        submitted_at=filing.submitted_at,
        closed_at=filing.closed_at,
        archived_at=at,
        content=digest_of(asdict(dossier.content)),
        cases=tuple(_case(case, holdings) for case in filing.cases),
        documents=holdings.documents,
        attachments=holdings.attachments,
        journal=JournalRange(
            first=str(journal[0]["id"]),
            last=str(journal[-1]["id"]),
            entries=len(journal),
            digest=digest_of([dict(entry) for entry in journal]),
        ),
    )


def digest_of(content: object) -> str:
    return sha256(canonical(content).encode()).hexdigest()


def _case(case: Case, holdings: Holdings) -> ArchivedCase:
    stated = holdings.stated.get(case.item, Stated())
    decision = {
        "status": case.status,
        "reason_code": case.reason_code,
        "result": stated.result,
        "explanation": stated.explanation,
    }
    return ArchivedCase(
        case_id=case.id,
        case_no=case.no,
        item=case.item,
        item_name=case.item_name,
        org_path=case.org_path,
        status=case.status,
        decided_at=case.decided_at,
        licence_id=case.licence_id,
        decision=digest_of(decision),
        corrections=tuple(digest_of(asdict(each)) for each in holdings.corrections if each.case_id == case.id),
        delivered_at=tuple(each.delivered_at for each in holdings.deliveries if each.case_id == case.id),
    )
