"""The rules of messages (消息): what is told to whom, once, with receipts.

NotFound
└── MessageNotFound
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from common.errors import NotFound

# What nobody read for so long is counted as unread no more: an organisation's mailbox keeps years of them.
UNREAD_FOR = timedelta(days=90)


class MessageNotFound(NotFound):
    """There is no such message."""


class MessageKind(StrEnum):
    """What a message tells; each has a title and a body in the locale."""

    FILING_SUBMITTED = "filing_submitted"
    CASE_APPROVED = "case_approved"
    CASE_REFUSED = "case_refused"
    FILING_CLOSED = "filing_closed"
    FILING_PROPOSED = "filing_proposed"
    CASE_SUPPLEMENT_REQUESTED = "case_supplement_requested"
    CASE_DECLINED = "case_declined"
    CASE_TERMINATED = "case_terminated"
    CASE_DELIVERED = "case_delivered"
    CASE_CORRECTED = "case_corrected"
    CONSENT_REQUESTED = "consent_requested"
    CASE_SUPPLEMENTED = "case_supplemented"
    CASE_EVIDENCE_CHANGED = "case_evidence_changed"
    FROM_COLLEAGUE = "from_colleague"
    TODO_DUE = "todo_due"
    TODO_UNSTAFFED = "todo_unstaffed"
    CONSULT_ASKED = "consult_asked"
    CONSULT_ANSWERED = "consult_answered"


@dataclass(frozen=True, slots=True)
class Sender:
    """The post that sent a message."""

    post_id: str
    title: str


@dataclass(frozen=True, slots=True)
class Message:
    """A message; one source tells one kind of thing once. The title names nobody."""

    message_id: UUID
    source: str
    source_id: str
    kind: MessageKind
    title: str
    body: str
    sent_at: datetime
    # The post that sent it; None when a service tells.
    sender: Sender | None = None


@dataclass(frozen=True, slots=True)
class MessageView:
    """A message as its reader sees it, with the receipts of that reader."""

    message_id: UUID
    source: str
    source_id: str
    kind: MessageKind
    title: str
    body: str
    sent_at: datetime
    delivered_at: datetime
    read_at: datetime | None
    sender_title: str | None
    # Set when the sender took it back (撤回): the body then only says so.
    recalled_at: datetime | None


@dataclass(frozen=True, slots=True)
class Unread:
    """How many messages of the last 90 days wait to be read."""

    unread: int


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message's place in a mailbox, as the stream tells it."""

    mailbox: str
    seq: int
    message_id: UUID
    kind: MessageKind
    title: str
    sent_at: datetime
    recalled_at: datetime | None


def make_message(
    message_id: UUID,
    source: str,
    source_id: str,
    kind: MessageKind,
    *,
    sentences: Mapping[str, str],
    data: Mapping[str, str],
    at: datetime,
) -> Message:
    """Put a message into words."""
    name = f"MESSAGE_{kind.name}"
    return Message(
        message_id=message_id,
        source=source,
        source_id=source_id,
        kind=kind,
        title=sentences[f"{name}_TITLE"],
        body=sentences[name].format_map(data),
        sent_at=at,
    )


def show(message: MessageView, sentences: Mapping[str, str]) -> MessageView:
    """Show a message to its reader: of one that was recalled, whether read before or not, only that it was."""
    if message.recalled_at is None:
        return message
    return replace(message, body=sentences["MESSAGE_RECALLED"].format(sender=message.sender_title))


def person_mailbox(person_id: str) -> str:
    """Name the mailbox of a person."""
    return f"person:{person_id}"


def legal_person_mailbox(legal_person_id: str, matter_code: str = "") -> str:
    """Name the mailbox of a legal person: that of all matters, or of one for an agent who acts in no other."""
    return f"legal_person:{legal_person_id}:{matter_code}" if matter_code else f"legal_person:{legal_person_id}"


def post_mailbox(post_id: str) -> str:
    """Name the mailbox of a post."""
    return f"post:{post_id}"


def organisation_mailbox(org_path: str) -> str:
    """Name the mailbox that all posts of an organisation read."""
    return f"organisation:{org_path}"


def mailboxes_above(org_path: str) -> list[str]:
    """Name the mailboxes of the organisations that an organisation stands under; of the topmost its own."""
    codes = org_path.split(".")
    above = [".".join(codes[:length]) for length in range(1, len(codes))] or [org_path]
    return [organisation_mailbox(path) for path in above]


@dataclass(frozen=True, slots=True)
class Place:
    """How far a reader has been told, in each of its mailboxes; written as the id of an event."""

    mailboxes: tuple[str, ...]
    seqs: tuple[int, ...]

    def __str__(self) -> str:
        return ".".join(map(str, self.seqs))

    def passed(self, delivery: Delivery) -> bool:
        """Say whether a delivery was told before."""
        return delivery.seq <= self.seqs[self.mailboxes.index(delivery.mailbox)]

    def after(self, delivery: Delivery) -> "Place":
        """Move on to a delivery."""
        place = self.mailboxes.index(delivery.mailbox)
        return Place(self.mailboxes, (*self.seqs[:place], delivery.seq, *self.seqs[place + 1 :]))

    def resumed(self, last_event_id: str) -> "Place":
        """Go back to where a reader was; what cannot be read, or lies ahead, is where the mailboxes stand now."""
        parts = last_event_id.split(".")
        if len(parts) != len(self.seqs) or not all(part.isascii() and part.isdigit() for part in parts):
            return self
        return Place(
            self.mailboxes, tuple(min(int(part[:19]), seq) for part, seq in zip(parts, self.seqs, strict=True))
        )
