"""The rules of messages between officers: to whom, how many, and until when one is taken back (撤回).

Refusal
├── RecallTooLate        the time to take it back is over
├── NoReceiver           nobody is there to receive it
├── Denied
│   └── MessageOfAnother   another post sent it
├── Invalid
│   ├── ReceiverUnknown
│   └── TooManyReceivers
└── TooMany
    └── TooManyMessages
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from common.errors import Denied, Invalid, Refusal, TooMany

MOST_RECEIVERS = 200
MOST_A_DAY = 50
RECALL_WITHIN = timedelta(hours=24)


class RecallTooLate(Refusal):
    """The message was sent too long ago to be taken back."""


class NoReceiver(Refusal):
    """Nobody who receives messages holds a post there."""


class MessageOfAnother(Denied):
    """Another post sent the message."""


class ReceiverUnknown(Invalid):
    """A department or post does not exist, is not held, or receives no messages."""


class TooManyReceivers(Invalid):
    """One message goes to a limited number of posts."""


class TooManyMessages(TooMany):
    """A post sends a limited number of messages a day."""


@dataclass(frozen=True, slots=True)
class Receiver:
    """A post that receives a message."""

    post_id: str
    title: str
    org_id: UUID


@dataclass(frozen=True, slots=True)
class SentMessage:
    """A message as its sender sees it, with how many received and how many read it."""

    message_id: UUID
    sender_post_id: str
    sender_title: str
    text: str
    sent_at: datetime
    recalled_at: datetime | None
    receivers: int
    read: int


@dataclass(frozen=True, slots=True)
class Receipt:
    """When one receiver was given a message, and read it (已读、未读)."""

    post_id: str
    title: str
    org_id: UUID
    delivered_at: datetime | None
    read_at: datetime | None


def choose_receivers(found: Sequence[Receiver], asked: Sequence[str], *, sender: str) -> list[Receiver]:
    """Choose who receives: the posts found, each once and never the sender; every post asked for must be there."""
    if not set(asked) <= {each.post_id for each in found}:
        raise ReceiverUnknown
    chosen = {each.post_id: each for each in found if each.post_id != sender}
    if not chosen:
        raise NoReceiver
    if len(chosen) > MOST_RECEIVERS:
        raise TooManyReceivers(most=MOST_RECEIVERS)
    return list(chosen.values())


def check_limit(sent_today: int) -> None:
    """Refuse a post that sent its fill today."""
    if sent_today >= MOST_A_DAY:
        raise TooManyMessages(most=MOST_A_DAY)


def check_recall(message: SentMessage, *, post_id: str, at: datetime) -> None:
    """Let only the post that sent a message take it back, and not for ever."""
    if message.sender_post_id != post_id:
        raise MessageOfAnother
    if at >= message.sent_at + RECALL_WITHIN:
        raise RecallTooLate(hours=RECALL_WITHIN // timedelta(hours=1))
