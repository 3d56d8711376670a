"""Tables of the accounts: persons with sealed columns, organisations, employees, posts."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, DateTime, ForeignKeyConstraint, Index, LargeBinary, String, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field, SQLModel


def _sealed(*, nullable: bool = False) -> Any:
    return Field(sa_column=Column(LargeBinary, nullable=nullable))


def _moment(*, nullable: bool = False) -> Any:
    return Field(sa_column=Column(DateTime(timezone=True), nullable=nullable))


class PersonRow(SQLModel, table=True):
    """A person; name, number and phone are sealed, numbers are found by blind indexes (personal data, GB/T 35273)."""

    __tablename__ = "persons"
    __table_args__ = (
        CheckConstraint("proof_level BETWEEN 0 AND 4", name="persons_proof_level"),
        Index("persons_id_number", "id_number_index", unique=True),
        Index("persons_phone", "phone_index"),
        ForeignKeyConstraint(["merged_into"], ["persons.person_id"]),
        Index("persons_merged_into", "merged_into", postgresql_where=text("merged_into IS NOT NULL")),
    )

    person_id: UUID = Field(primary_key=True)
    name: bytes = _sealed()
    id_number: bytes = _sealed()
    id_number_index: bytes = _sealed()
    number_flag: str | None
    phone: bytes | None = _sealed(nullable=True)
    phone_index: bytes | None = _sealed(nullable=True)
    proof_level: int
    proof_obtained_at: datetime = _moment()
    version: int
    # Set on a duplicate: the person that this record is of, too.
    merged_into: UUID | None


class OrganisationRow(SQLModel, table=True):
    """A body in the tree."""

    __tablename__ = "organisations"
    __table_args__ = (
        ForeignKeyConstraint(["parent_id"], ["organisations.org_id"]),
        Index("organisations_path", "org_path", unique=True, postgresql_ops={"org_path": "text_pattern_ops"}),
        ForeignKeyConstraint(["line_parent_id"], ["organisations.org_id"]),
        Index("organisations_department", "department", "region_code"),
        Index("organisations_line", "line_parent_id", postgresql_where=text("line_parent_id IS NOT NULL")),
    )

    org_id: UUID = Field(primary_key=True)
    parent_id: UUID | None
    code: str
    name: str
    department: str
    uscc: str
    region_code: str
    org_path: str
    version: int
    line_parent_id: UUID | None


class EmployeeRow(SQLModel, table=True):
    """A person who works for an organisation; the name is sealed."""

    __tablename__ = "employees"
    __table_args__ = (
        ForeignKeyConstraint(["org_id"], ["organisations.org_id"]),
        Index("employees_scope", "org_path", "employee_id", postgresql_ops={"org_path": "text_pattern_ops"}),
    )

    employee_id: UUID = Field(primary_key=True)
    name: bytes = _sealed()
    org_id: UUID
    org_path: str
    region_code: str


class PostRow(SQLModel, table=True):
    """An employee's place in an organisation, with its permissions."""

    __tablename__ = "posts"
    __table_args__ = (
        ForeignKeyConstraint(["employee_id"], ["employees.employee_id"]),
        ForeignKeyConstraint(["org_id"], ["organisations.org_id"]),
        Index("posts_employee", "employee_id", "rank"),
    )

    post_id: UUID = Field(primary_key=True)
    employee_id: UUID
    org_id: UUID
    org_path: str
    region_code: str
    title: str
    permissions: list[str] = Field(sa_column=Column(ARRAY(String), nullable=False))
    rank: int
    valid_from: datetime = _moment()
    valid_until: datetime | None = _moment(nullable=True)
    version: int
    line: bool


class GuardianshipRow(SQLModel, table=True):
    """One guardian's right to act for one child; what it was proven by is sealed."""

    __tablename__ = "guardianships"
    __table_args__ = (
        ForeignKeyConstraint(["guardian_id"], ["persons.person_id"]),
        ForeignKeyConstraint(["ward_id"], ["persons.person_id"]),
        Index("guardianships_guardian", "guardian_id"),
        Index("guardianships_ward", "ward_id"),
    )

    guardianship_id: UUID = Field(primary_key=True)
    guardian_id: UUID
    ward_id: UUID
    basis: str
    proof: bytes = _sealed()
    valid_from: datetime = _moment()
    valid_until: datetime = _moment()
    version: int


class DelegationRow(SQLModel, table=True):
    """A post lent to a colleague, in whole or in part."""

    __tablename__ = "delegations"
    __table_args__ = (
        ForeignKeyConstraint(["post_id"], ["posts.post_id"]),
        ForeignKeyConstraint(["delegator_id"], ["employees.employee_id"]),
        ForeignKeyConstraint(["delegate_id"], ["employees.employee_id"]),
        Index("delegations_delegate", "delegate_id"),
        Index("delegations_delegator", "delegator_id"),
        Index("delegations_post", "post_id"),
    )

    delegation_id: UUID = Field(primary_key=True)
    post_id: UUID
    delegator_id: UUID
    delegate_id: UUID
    permissions: list[str] = Field(sa_column=Column(ARRAY(String), nullable=False))
    valid_from: datetime = _moment()
    valid_until: datetime = _moment()
    version: int


class AccountRow(SQLModel, table=True):
    """An account that was suspended or closed once; the reason is sealed."""

    __tablename__ = "accounts"
    __table_args__ = (Index("accounts_untold", "changed_at", postgresql_where=text("told_version < version")),)

    account_id: UUID = Field(primary_key=True)
    kind: str
    state: str
    reason: bytes = _sealed()
    changed_at: datetime = _moment()
    version: int
    # The version that the log-in server was last told of.
    told_version: int


class LegalPersonRow(SQLModel, table=True):
    """A legal person with its legal representative."""

    __tablename__ = "legal_persons"
    __table_args__ = (
        ForeignKeyConstraint(["representative_id"], ["persons.person_id"]),
        Index("legal_persons_uscc", "uscc", unique=True),
        Index("legal_persons_representative", "representative_id"),
    )

    legal_person_id: UUID = Field(primary_key=True)
    uscc: str
    name: str
    representative_id: UUID
    version: int


class AgencyRow(SQLModel, table=True):
    """What one person may do for one legal person."""

    __tablename__ = "agencies"
    __table_args__ = (
        ForeignKeyConstraint(["legal_person_id"], ["legal_persons.legal_person_id"]),
        ForeignKeyConstraint(["agent_id"], ["persons.person_id"]),
        Index("agencies_legal_person", "legal_person_id"),
        Index("agencies_agent", "agent_id"),
    )

    agency_id: UUID = Field(primary_key=True)
    legal_person_id: UUID
    agent_id: UUID
    matters: list[str] = Field(sa_column=Column(ARRAY(String), nullable=False))
    items: list[str] = Field(sa_column=Column(ARRAY(String), nullable=False))
    valid_from: datetime = _moment()
    valid_until: datetime = _moment()
    version: int


class MergerRow(SQLModel, table=True):
    """That two records are of one person; the grounds are sealed."""

    __tablename__ = "mergers"
    __table_args__ = (
        ForeignKeyConstraint(["surviving_id"], ["persons.person_id"]),
        ForeignKeyConstraint(["merged_id"], ["persons.person_id"]),
        Index("mergers_state", "state", "merger_id"),
    )

    merger_id: UUID = Field(primary_key=True)
    surviving_id: UUID
    merged_id: UUID
    grounds: bytes = _sealed()
    requested_by: UUID
    requested_at: datetime = _moment()
    state: str
    decided_by: UUID | None
    decided_at: datetime | None = _moment(nullable=True)


persons = SQLModel.metadata.tables["persons"]
organisations = SQLModel.metadata.tables["organisations"]
employees = SQLModel.metadata.tables["employees"]
posts = SQLModel.metadata.tables["posts"]
delegations = SQLModel.metadata.tables["delegations"]
guardianships = SQLModel.metadata.tables["guardianships"]
accounts = SQLModel.metadata.tables["accounts"]
legal_persons = SQLModel.metadata.tables["legal_persons"]
agencies = SQLModel.metadata.tables["agencies"]
mergers = SQLModel.metadata.tables["mergers"]
