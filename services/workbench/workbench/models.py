"""Tables of the workbench."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, Column, Computed, DateTime, Index, String, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel


def _moment() -> Column[datetime]:
    return Column(DateTime(timezone=True), nullable=True)


class TodoRow(SQLModel, table=True):
    """A todo; without a title it only remembers versions of facts that came too early, and is in no list."""

    __tablename__ = "todos"
    __table_args__ = (
        CheckConstraint("stage IN ('ready', 'accepted', 'done')", name="todos_stage"),
        CheckConstraint("state IN ('open', 'claimed', 'done')", name="todos_state"),
        Index("todos_source", "source", "source_id", unique=True),
        Index("todos_list", "org_path", "state", "sort_at", "todo_id", postgresql_ops={"org_path": "text_pattern_ops"}),
        Index("todos_claimed", "claimed_post_id", postgresql_where=text("claimed_post_id IS NOT NULL")),
    )

    todo_id: UUID = Field(primary_key=True)
    source: str
    source_id: str
    version: int
    stage: str
    state: str
    revision: int
    described_version: int
    title: str | None
    org_id: UUID | None
    org_path: str | None
    region_code: str | None
    ready_at: datetime | None = Field(sa_column=_moment())
    due_version: int
    promised_due_at: datetime | None = Field(sa_column=_moment())
    statutory_due_at: datetime | None = Field(sa_column=_moment())
    done_at: datetime | None = Field(sa_column=_moment())
    claimed_post_id: str | None
    claimed_post_title: str | None
    claimed_at: datetime | None = Field(sa_column=_moment())
    # What is due comes first, by its due time; what is not due yet by any clock, by when it became ready.
    sort_at: datetime | None = Field(
        sa_column=Column(DateTime(timezone=True), Computed("COALESCE(promised_due_at, ready_at)", persisted=True))
    )


class AppRow(SQLModel, table=True):
    """An app; whom to reach when it fails is sealed."""

    __tablename__ = "apps"
    __table_args__ = (CheckConstraint("state IN ('draft', 'approved', 'suspended')", name="apps_state"),)

    code: str = Field(primary_key=True)
    name: str
    org_id: UUID
    org_path: str
    region_code: str
    contact: bytes
    address: str
    client_id: str = Field(unique=True)
    items: list[str] = Field(sa_column=Column(ARRAY(String), nullable=False))
    keys: list[dict[str, Any]] = Field(sa_column=Column(JSONB, nullable=False))
    state: str
    version: int


apps = SQLModel.metadata.tables["apps"]
todos = SQLModel.metadata.tables["todos"]
