"""Tables. Whatever a person wrote or is told about a person is sealed (`bytea`); ids, codes and times are plain."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import Column, Computed, DateTime, Index, Integer, LargeBinary, Text, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field, SQLModel

_MOMENT: Any = DateTime(timezone=True)
_ID: Any = Uuid(as_uuid=False)
_JSON: Any = JSONB
_SEALED: Any = LargeBinary
_TEXT: Any = Text
_BY_BODY: Any = {"postgresql_ops": {"org_path": "text_pattern_ops"}}


def _told(kind: Any, by: str, *, nullable: bool = True) -> Column[Any]:
    return Column(kind, Computed(by, persisted=True), nullable=nullable)


class MatterRow(SQLModel, table=True):
    """A version of a matter, immutable once there; what statements ask of its definition stands in columns as well."""

    __tablename__ = "matters"
    __table_args__ = (
        Index("matters_proposed", "proposed_after_matter", "proposed_after_item"),
        Index("matters_rest", "archive_days"),
    )
    code: str = Field(primary_key=True, sa_type=_TEXT)
    version: int = Field(primary_key=True)
    name: str = Field(sa_type=_TEXT)
    effective_from: date
    checksum: str = Field(sa_type=_TEXT)
    definition: dict[str, Any] = Field(sa_type=_JSON)
    published_at: datetime = Field(sa_type=_MOMENT)
    proposed_after_matter: str | None = Field(sa_column=_told(Text, "definition -> 'proposed_by' ->> 'matter'"))
    proposed_after_item: str | None = Field(sa_column=_told(Text, "definition -> 'proposed_by' ->> 'item'"))
    archive_days: int = Field(
        sa_column=_told(Integer, "coalesce(cast(definition ->> 'archive_days' as integer), 30)", nullable=False)
    )


class FilingRow(SQLModel, table=True):
    """A filing; `content` is the sealed form with the answers."""

    __tablename__ = "filings"
    __table_args__ = (
        Index("filings_by_applicant", "applicant_id", text("id desc")),
        Index("filings_open", "id", postgresql_where=text("state in ('submitted', 'proposed')")),
        Index("filings_closed", "closed_at", postgresql_where=text("state = 'closed'")),
    )
    id: str = Field(primary_key=True, sa_type=_ID)
    no: str | None = Field(sa_type=_TEXT, unique=True)
    matter_code: str = Field(sa_type=_TEXT)
    matter_version: int
    matter_name: str = Field(sa_type=_TEXT)
    region_code: str = Field(sa_type=_TEXT)
    applicant_id: str = Field(sa_type=_TEXT)
    agent_id: str | None = Field(sa_type=_TEXT)
    state: str = Field(sa_type=_TEXT)
    revision: int
    version: int
    open_cases: int
    content: bytes = Field(sa_type=_SEALED)
    plan: dict[str, Any] | None = Field(sa_column=Column(JSONB(none_as_null=True)))
    created_at: datetime = Field(sa_type=_MOMENT)
    submitted_at: datetime | None = Field(sa_type=_MOMENT)
    closed_at: datetime | None = Field(sa_type=_MOMENT)


class CaseRow(SQLModel, table=True):
    """A case; due times are columns for the lists, `due` tells how they were counted."""

    __tablename__ = "cases"
    __table_args__ = (
        Index("cases_of_filing", "filing_id"),
        Index("cases_in_scope", "org_path", text("id desc"), **_BY_BODY),
        Index("cases_in_status", "org_path", "status", text("id desc"), **_BY_BODY),
        Index("cases_promised", "promised_due_at", postgresql_where=text("status = 'accepted'")),
        Index("cases_statutory", "statutory_due_at", postgresql_where=text("status = 'accepted'")),
    )
    id: str = Field(primary_key=True, sa_type=_ID)
    no: str = Field(sa_type=_TEXT, unique=True)
    filing_id: str = Field(sa_type=_ID, foreign_key="filings.id")
    applicant_id: str = Field(sa_type=_TEXT)
    matter_code: str = Field(sa_type=_TEXT)
    item: str = Field(sa_type=_TEXT)
    item_name: str = Field(sa_type=_TEXT)
    org_id: str = Field(sa_type=_TEXT)
    org_path: str = Field(sa_type=_TEXT)
    org_uscc: str = Field(sa_type=_TEXT)
    region_code: str = Field(sa_type=_TEXT)
    status: str = Field(sa_type=_TEXT)
    waits_for: list[dict[str, Any]] = Field(sa_type=_JSON)
    open_dependencies: int
    gives_licence: bool
    clocks: dict[str, Any] = Field(sa_type=_JSON)
    due: dict[str, Any] = Field(sa_type=_JSON)
    materials: list[dict[str, Any]] = Field(sa_type=_JSON)
    version: int
    created_at: datetime = Field(sa_type=_MOMENT)
    ready_at: datetime | None = Field(sa_type=_MOMENT)
    accepted_at: datetime | None = Field(sa_type=_MOMENT)
    decided_at: datetime | None = Field(sa_type=_MOMENT)
    promised_due_at: datetime | None = Field(sa_type=_MOMENT)
    statutory_due_at: datetime | None = Field(sa_type=_MOMENT)
    result: bytes | None = Field(sa_type=_SEALED)
    reason_code: str | None = Field(sa_type=_TEXT)
    explanation: bytes | None = Field(sa_type=_SEALED)
    licence_id: str | None = Field(sa_type=_TEXT)
    app: str | None = Field(sa_type=_TEXT)
    competent_organ: str | None = Field(sa_type=_TEXT)
    terms: dict[str, Any] = Field(sa_type=_JSON)
    supplement: dict[str, Any] | None = Field(sa_column=Column(JSONB(none_as_null=True)))
    absence: dict[str, Any] | None = Field(sa_column=Column(JSONB(none_as_null=True)))
    pause: dict[str, Any] | None = Field(sa_column=Column(JSONB(none_as_null=True)))


class TimerRow(SQLModel, table=True):
    """What happens to a case by itself, and when (定时); one that has fired stays as it was."""

    __tablename__ = "timers"
    __table_args__ = (Index("timers_due", "due_at", postgresql_where=text("fired_at is null")),)
    case_id: str = Field(primary_key=True, sa_type=_ID, foreign_key="cases.id")
    kind: str = Field(primary_key=True, sa_type=_TEXT)
    filing_id: str = Field(sa_type=_ID, foreign_key="filings.id")
    due_at: datetime = Field(sa_type=_MOMENT)
    fired_at: datetime | None = Field(sa_type=_MOMENT)


class CallRow(SQLModel, table=True):
    """A call to another service that is due (待办调用), until it succeeded or became an incident."""

    __tablename__ = "calls"
    __table_args__ = (
        Index("calls_of_case", "case_id", "kind", "attempt", unique=True),
        Index("calls_incidents", "created_at", postgresql_where=text("state = 'incident'")),
        Index("calls_due", "next_try_at", postgresql_where=text("state = 'pending'")),
        Index("calls_of_app", "app", "next_try_at", postgresql_where=text("state = 'pending' and app is not null")),
    )
    id: str = Field(primary_key=True, sa_type=_ID)
    case_id: str = Field(sa_type=_ID, foreign_key="cases.id")
    filing_id: str = Field(sa_type=_ID, foreign_key="filings.id")
    kind: str = Field(sa_type=_TEXT)
    state: str = Field(sa_type=_TEXT)
    payload: bytes = Field(sa_type=_SEALED)
    attempts: int
    next_try_at: datetime = Field(sa_type=_MOMENT)
    lease_until: datetime | None = Field(sa_type=_MOMENT)
    error: str | None = Field(sa_type=_TEXT)
    created_at: datetime = Field(sa_type=_MOMENT)
    done_at: datetime | None = Field(sa_type=_MOMENT)
    # Of calls to an app: which, what is done next, and how often the case was given to it.
    app: str | None = Field(sa_type=_TEXT)
    phase: str | None = Field(sa_type=_TEXT)
    attempt: int


class CallbackRow(SQLModel, table=True):
    """What an app told of a case, and what it was answered: the same again is answered the same."""

    __tablename__ = "callbacks"
    case_id: str = Field(primary_key=True, sa_type=_ID, foreign_key="cases.id")
    digest: bytes = Field(primary_key=True, sa_type=_SEALED)
    app: str = Field(sa_type=_TEXT)
    attempt: int
    outcome: str = Field(sa_type=_TEXT)
    applied: bool
    reason: str | None = Field(sa_type=_TEXT)
    status: str = Field(sa_type=_TEXT)
    at: datetime = Field(sa_type=_MOMENT)


class NonceRow(SQLModel, table=True):
    """A nonce that an app used, as long as its signature would be believed."""

    __tablename__ = "nonces"
    __table_args__ = (Index("nonces_at", "at"),)
    app: str = Field(primary_key=True, sa_type=_TEXT)
    nonce: str = Field(primary_key=True, sa_type=_TEXT)
    at: datetime = Field(sa_type=_MOMENT)


class AttachmentRow(SQLModel, table=True):
    """An uploaded file of a filing; its name is sealed, its content lies in pieces."""

    __tablename__ = "attachments"
    __table_args__ = (Index("attachments_of_filing", "filing_id", "requirement", "digest", unique=True),)
    attachment_id: str = Field(primary_key=True, sa_type=_ID)
    filing_id: str = Field(sa_type=_ID, foreign_key="filings.id", ondelete="CASCADE")
    requirement: str = Field(sa_type=_TEXT)
    name: bytes = Field(sa_type=_SEALED)
    kind: str = Field(sa_type=_TEXT)
    size: int
    digest: bytes = Field(sa_type=_SEALED)
    uploaded_at: datetime = Field(sa_type=_MOMENT)


class PieceRow(SQLModel, table=True):
    """A sealed piece of a file."""

    __tablename__ = "attachment_pieces"
    attachment_id: str = Field(
        primary_key=True, sa_type=_ID, foreign_key="attachments.attachment_id", ondelete="CASCADE"
    )
    place: int = Field(primary_key=True)
    content: bytes = Field(sa_type=_SEALED)


class DocumentRow(SQLModel, table=True):
    """An issued document, of a case or a whole filing; what it says is sealed, its head is for lists and checks."""

    __tablename__ = "documents"
    __table_args__ = (Index("documents_of_filing", "filing_id"),)
    document_id: str = Field(primary_key=True, sa_type=_ID)
    no: str = Field(sa_type=_TEXT, unique=True)
    code: str = Field(sa_type=_TEXT)
    kind: str = Field(sa_type=_TEXT)
    case_id: str | None = Field(sa_type=_ID, foreign_key="cases.id")
    filing_id: str = Field(sa_type=_ID, foreign_key="filings.id")
    applicant_id: str = Field(sa_type=_TEXT)
    org_name: str = Field(sa_type=_TEXT)
    item_name: str = Field(sa_type=_TEXT)
    content: bytes = Field(sa_type=_SEALED)
    digest: str = Field(sa_type=_TEXT)
    issued_at: datetime = Field(sa_type=_MOMENT)


class DeliveryRow(SQLModel, table=True):
    """A document that has to reach its applicant; what proves that it did is sealed."""

    __tablename__ = "deliveries"
    __table_args__ = (
        Index("deliveries_of_case", "case_id"),
        Index("deliveries_of_filing", "filing_id"),
        Index("deliveries_open", "case_id", postgresql_where=text("delivered_at is null")),
        Index(
            "deliveries_in_scope",
            "org_path",
            text("case_id desc"),
            **_BY_BODY,
            postgresql_where=text("delivered_at is null"),
        ),
    )
    document_id: str = Field(primary_key=True, sa_type=_ID, foreign_key="documents.document_id")
    case_id: str = Field(sa_type=_ID, foreign_key="cases.id")
    filing_id: str = Field(sa_type=_ID, foreign_key="filings.id")
    org_path: str = Field(sa_type=_TEXT)
    issued_at: datetime = Field(sa_type=_MOMENT)
    due_at: datetime = Field(sa_type=_MOMENT)
    mode: str | None = Field(sa_type=_TEXT)
    delivered_at: datetime | None = Field(sa_type=_MOMENT)
    proof: bytes | None = Field(sa_type=_SEALED)
    recorded_at: datetime | None = Field(sa_type=_MOMENT)


class CorrectionRow(SQLModel, table=True):
    """A correction of a decision, sealed."""

    __tablename__ = "corrections"
    __table_args__ = (Index("corrections_of_case", "case_id"),)
    correction_id: str = Field(primary_key=True, sa_type=_ID)
    case_id: str = Field(sa_type=_ID, foreign_key="cases.id")
    filing_id: str = Field(sa_type=_ID, foreign_key="filings.id")
    content: bytes = Field(sa_type=_SEALED)
    corrected_at: datetime = Field(sa_type=_MOMENT)


class ArchiveRow(SQLModel, table=True):
    """The sealed manifest of a filing that rests in the archive."""

    __tablename__ = "archives"
    filing_id: str = Field(primary_key=True, sa_type=_ID, foreign_key="filings.id")
    manifest: bytes = Field(sa_type=_SEALED)
    digest: str = Field(sa_type=_TEXT)
    archived_at: datetime = Field(sa_type=_MOMENT)


class WatchRow(SQLModel, table=True):
    """A material of a case that stands on a licence; the officer's acknowledgement is sealed."""

    __tablename__ = "evidence_watches"
    __table_args__ = (Index("evidence_watches_licence", "licence_id"),)
    case_id: str = Field(primary_key=True, sa_type=_ID, foreign_key="cases.id")
    requirement: str = Field(primary_key=True, sa_type=_TEXT)
    licence_id: str = Field(sa_type=_TEXT)
    version: int
    valid_until: datetime | None = Field(sa_type=_MOMENT)
    finding: str = Field(sa_type=_TEXT)
    reverified_at: datetime | None = Field(sa_type=_MOMENT)
    acknowledged_at: datetime | None = Field(sa_type=_MOMENT)
    acknowledgement: bytes | None = Field(sa_type=_SEALED)


class LicenceChangeRow(SQLModel, table=True):
    """The newest change of a licence that we were told of, kept while an undecided case may stand on it."""

    __tablename__ = "licence_changes"
    __table_args__ = (Index("licence_changes_at", "changed_at"),)
    licence_id: str = Field(primary_key=True, sa_type=_TEXT)
    version: int
    voided: bool
    changed_at: datetime = Field(sa_type=_MOMENT)


class ProposalRow(SQLModel, table=True):
    """What a proposed filing was made after, which fields were filled, and its timer: until when it waits."""

    __tablename__ = "proposals"
    __table_args__ = (
        Index("proposals_of_case", "source_case_id", "matter_code", unique=True),
        Index("proposals_due", "due_at", postgresql_where=text("ended_at is null")),
    )
    filing_id: str = Field(primary_key=True, sa_type=_ID, foreign_key="filings.id")
    matter_code: str = Field(sa_type=_TEXT)
    source_case_id: str = Field(sa_type=_ID, foreign_key="cases.id")
    source_filing_id: str = Field(sa_type=_ID, foreign_key="filings.id")
    filled: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    due_at: datetime = Field(sa_type=_MOMENT)
    ended_at: datetime | None = Field(sa_type=_MOMENT)


class SerialRow(SQLModel, table=True):
    """The last serial given out per region, day and channel."""

    __tablename__ = "serials"
    region_code: str = Field(primary_key=True, sa_type=_TEXT)
    day: date = Field(primary_key=True)
    channel: str = Field(primary_key=True, sa_type=_TEXT)
    last: int
