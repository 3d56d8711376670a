"""Tables of the library: types, licences with their versions and holders, consents, evidence."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, Date, DateTime, ForeignKeyConstraint, Index, LargeBinary, String, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field, SQLModel


class LicenceTypeRow(SQLModel, table=True):
    """One version of a licence type."""

    __tablename__ = "licence_types"

    code: str = Field(primary_key=True)
    version: int = Field(primary_key=True)
    name: str
    defining_body: str
    holder_kind: str
    face_fields: list[dict[str, Any]] = Field(sa_column=Column(JSONB, nullable=False))
    validity_years: int | None
    effective_from: date
    published_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))


class SerialRow(SQLModel, table=True):
    """The last serial given within a type and an issuer."""

    __tablename__ = "licence_serials"

    licence_type: str = Field(primary_key=True)
    issuer_uscc: str = Field(primary_key=True)
    last: int


class LicenceRow(SQLModel, table=True):
    """A licence; `version` names the current one of its versions and is compared on every change."""

    __tablename__ = "licences"
    __table_args__ = (
        Index("licences_serial", "licence_type", "issuer_uscc", "serial", unique=True),
        Index("licences_scope", "org_path", "licence_id", postgresql_ops={"org_path": "text_pattern_ops"}),
    )

    licence_id: UUID = Field(primary_key=True)
    request_id: str = Field(unique=True)
    licence_type: str
    issuer_uscc: str
    org_id: UUID
    org_path: str
    region_code: str
    serial: str
    version: int


class LicenceVersionRow(SQLModel, table=True):
    """One version of a licence, with its sealed face."""

    __tablename__ = "licence_versions"
    __table_args__ = (
        ForeignKeyConstraint(["licence_id"], ["licences.licence_id"]),
        CheckConstraint("state IN ('valid', 'superseded', 'revoked', 'cancelled')", name="licence_versions_state"),
    )

    licence_id: UUID = Field(primary_key=True)
    version: int = Field(primary_key=True)
    type_version: int
    identifier: str = Field(unique=True)
    state: str
    valid_from: date
    valid_until: date | None = Field(sa_column=Column(Date, nullable=True))
    face: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    issued_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    void_explanation: bytes | None = Field(sa_column=Column(LargeBinary, nullable=True))
    void_at: datetime | None = Field(sa_column=Column(DateTime(timezone=True), nullable=True))


class HolderRow(SQLModel, table=True):
    """Who holds which licence; the order is the one they were named in."""

    __tablename__ = "licence_holders"
    __table_args__ = (
        ForeignKeyConstraint(["licence_id"], ["licences.licence_id"]),
        Index("licence_holders_person", "person_id", "licence_type"),
    )

    licence_id: UUID = Field(primary_key=True)
    person_id: UUID = Field(primary_key=True)
    position: int
    licence_type: str


class ConsentRow(SQLModel, table=True):
    """A holder's consent to one grantee."""

    __tablename__ = "consents"
    __table_args__ = (
        Index("consents_grantee", "holder_id", "grantee_id", "matter_code"),
        Index("consents_holder", "holder_id", "consent_id"),
    )

    consent_id: UUID = Field(primary_key=True)
    holder_id: UUID
    grantee_id: UUID
    licence_types: list[str] = Field(sa_column=Column(ARRAY(String), nullable=False))
    matter_code: str
    granted_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    valid_until: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    withdrawn_at: datetime | None = Field(sa_column=Column(DateTime(timezone=True), nullable=True))
    filing_id: UUID | None
    purpose: bytes | None = Field(sa_column=Column(LargeBinary, nullable=True))


class ConsentRequestRow(SQLModel, table=True):
    """A request for consent; `purpose` is sealed, and one holder is asked once at a time for one filing."""

    __tablename__ = "consent_requests"
    __table_args__ = (
        Index(
            "consent_requests_waiting",
            "grantee_id",
            "holder_id",
            "filing_id",
            "licence_types",
            unique=True,
            postgresql_where=text("answer = 'waiting'"),
        ),
        Index("consent_requests_holder", "holder_id", "consent_request_id"),
        Index("consent_requests_grantee", "grantee_id", "consent_request_id"),
    )

    consent_request_id: UUID = Field(primary_key=True)
    holder_id: UUID
    grantee_id: UUID
    licence_types: list[str] = Field(sa_column=Column(ARRAY(String), nullable=False))
    matter_code: str
    filing_id: UUID
    purpose: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    requested_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    answer: str
    answered_at: datetime | None = Field(sa_column=Column(DateTime(timezone=True), nullable=True))
    consent_id: UUID | None


class EvidenceRow(SQLModel, table=True):
    """One verification on record; never changed, never deleted by the service."""

    __tablename__ = "evidence"
    __table_args__ = (
        Index("evidence_filing", "filing_id"),
        Index("evidence_holder", "holder_id", "evidence_id"),
        Index("evidence_licence", "licence_id", "evidence_id", postgresql_where=text("licence_id IS NOT NULL")),
    )

    evidence_id: UUID = Field(primary_key=True)
    fingerprint: bytes = Field(sa_column=Column(LargeBinary, nullable=False, unique=True))
    filing_id: UUID
    key: str
    asked_by: UUID
    holder_id: UUID
    licence_type: str
    matter_code: str
    purpose: str
    finding: str
    reason: str
    basis: str | None
    licence_id: UUID | None
    version: int | None
    identifier: str | None
    consent_id: UUID | None
    guardianship_id: UUID | None
    at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))


class DuplicateRow(SQLModel, table=True):
    """The id of a person who was registered twice, and the one that he or she goes by."""

    __tablename__ = "duplicates"
    __table_args__ = (Index("duplicates_surviving", "surviving_id"),)

    merged_id: UUID = Field(primary_key=True)
    surviving_id: UUID


licence_types = SQLModel.metadata.tables["licence_types"]
licences = SQLModel.metadata.tables["licences"]
licence_versions = SQLModel.metadata.tables["licence_versions"]
licence_holders = SQLModel.metadata.tables["licence_holders"]
consents = SQLModel.metadata.tables["consents"]
consent_requests = SQLModel.metadata.tables["consent_requests"]
evidence = SQLModel.metadata.tables["evidence"]
duplicates = SQLModel.metadata.tables["duplicates"]
