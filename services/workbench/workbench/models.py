"""Tables of the workbench."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, CheckConstraint, Column, Computed, DateTime, Index, String, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

_IN_LIST = ("org_path", "state", "sort_at", "todo_id")
_BY_BODY: Any = {"postgresql_ops": {"org_path": "text_pattern_ops"}}
_COUNTED: Any = _BY_BODY | {"postgresql_include": ("region_code", "promised_due_at")}


def _moment() -> Column[datetime]:
    return Column(DateTime(timezone=True), nullable=True)


class TodoRow(SQLModel, table=True):
    """A todo; without a title it only remembers versions of facts that came too early, and is in no list."""

    __tablename__ = "todos"
    __table_args__ = (
        CheckConstraint("stage IN ('ready', 'accepted', 'done')", name="todos_stage"),
        CheckConstraint("state IN ('open', 'claimed', 'waiting', 'done')", name="todos_state"),
        CheckConstraint("kind IN ('case', 'consult')", name="todos_kind"),
        Index("todos_remind", "remind_at", postgresql_where=text("reminded_at IS NULL AND state <> 'done'")),
        Index("todos_source", "source", "source_id", unique=True),
        Index("todos_due", *_IN_LIST, **_BY_BODY, postgresql_where=text("promised_due_at IS NOT NULL")),
        Index("todos_undue", *_IN_LIST, **_BY_BODY, postgresql_where=text("promised_due_at IS NULL")),
        Index("todos_pending", "org_path", "state", **_COUNTED, postgresql_where=text("state <> 'done'")),
        Index("todos_near", "org_path", "yellow_at", **_COUNTED, postgresql_where=text("state IN ('open', 'claimed')")),
        Index("todos_done", "org_path", "done_at", **_COUNTED, postgresql_where=text("state = 'done'")),
        Index("todos_claimed", "claimed_post_id", "state", postgresql_where=text("claimed_post_id IS NOT NULL")),
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
    waiting_version: int
    waiting_since: datetime | None = Field(sa_column=_moment())
    waiting_until: datetime | None = Field(sa_column=_moment())
    done_at: datetime | None = Field(sa_column=_moment())
    claimed_post_id: str | None
    claimed_post_title: str | None
    claimed_at: datetime | None = Field(sa_column=_moment())
    kind: str
    matter_code: str
    item_code: str
    yellow_at: datetime | None = Field(sa_column=_moment())
    remind_at: datetime | None = Field(sa_column=_moment())
    reminded_at: datetime | None = Field(sa_column=_moment())
    return_reason: bytes | None
    returned_by: str | None
    returned_at: datetime | None = Field(sa_column=_moment())
    # What is due comes first, by its due time; what is not due yet by any clock, by when it became ready.
    sort_at: datetime | None = Field(
        sa_column=Column(DateTime(timezone=True), Computed("COALESCE(promised_due_at, ready_at)", persisted=True))
    )


class AbsenceRow(SQLModel, table=True):
    """Until when a post is away."""

    __tablename__ = "absences"

    post_id: str = Field(primary_key=True)
    returns_on: date


class ConsultRow(SQLModel, table=True):
    """A question to another department about a todo; question and answer are sealed."""

    __tablename__ = "consults"
    __table_args__ = (Index("consults_todo", "todo_id", "asked_at"),)

    consult_id: UUID = Field(primary_key=True)
    todo_id: UUID = Field(foreign_key="todos.todo_id")
    asker_post_id: str
    asker_post_title: str
    asker_org_id: UUID
    org_id: UUID
    org_path: str
    region_code: str
    org_name: str
    question: bytes
    asked_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    due_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    answer: bytes | None
    answered_by: str | None
    answered_at: datetime | None = Field(sa_column=_moment())


class MessageRow(SQLModel, table=True):
    """A message; one source tells one thing once. Its body is sealed, its title names nobody."""

    __tablename__ = "messages"
    __table_args__ = (
        Index("messages_source", "source", "source_id", "kind", unique=True),
        Index("messages_sender", "sender_post_id", "message_id", postgresql_where=text("sender_post_id IS NOT NULL")),
    )

    message_id: UUID = Field(primary_key=True)
    source: str
    source_id: str
    kind: str
    title: str
    body: bytes
    sender_post_id: str | None
    sender_title: str | None
    sent_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    recalled_at: datetime | None = Field(sa_column=_moment())


class MailboxRow(SQLModel, table=True):
    """How many messages a recipient was ever sent: the last id of its stream."""

    __tablename__ = "mailboxes"

    mailbox: str = Field(primary_key=True)
    last_seq: int = Field(sa_column=Column(BigInteger, nullable=False))


class DeliveryRow(SQLModel, table=True):
    """A message's place in a recipient's mailbox; later places tell that it was taken back, and are in no list."""

    __tablename__ = "deliveries"
    __table_args__ = (
        Index("deliveries_message", "message_id"),
        Index(
            *("deliveries_list", "mailbox", "sent_at", "message_id"),
            unique=True,
            postgresql_where=text("sent_at IS NOT NULL"),
        ),
    )

    mailbox: str = Field(primary_key=True)
    seq: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    message_id: UUID = Field(foreign_key="messages.message_id")
    sent_at: datetime | None = Field(sa_column=_moment())


class ReceiverRow(SQLModel, table=True):
    """A post that an officer sent a message to, as it was called then."""

    __tablename__ = "receivers"

    message_id: UUID = Field(primary_key=True, foreign_key="messages.message_id")
    post_id: str = Field(primary_key=True)
    title: str
    org_id: UUID


class ReceiptRow(SQLModel, table=True):
    """When a reader was given a message, and read it."""

    __tablename__ = "receipts"

    message_id: UUID = Field(primary_key=True, foreign_key="messages.message_id")
    reader: str = Field(primary_key=True)
    delivered_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    read_at: datetime | None = Field(sa_column=_moment())


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
absences = SQLModel.metadata.tables["absences"]
consults = SQLModel.metadata.tables["consults"]
deliveries = SQLModel.metadata.tables["deliveries"]
mailboxes = SQLModel.metadata.tables["mailboxes"]
messages = SQLModel.metadata.tables["messages"]
receivers = SQLModel.metadata.tables["receivers"]
receipts = SQLModel.metadata.tables["receipts"]
todos = SQLModel.metadata.tables["todos"]
