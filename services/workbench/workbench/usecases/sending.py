"""The verbs of messages between officers."""

from collections.abc import Mapping, Sequence
from datetime import time
from uuid import UUID

from common.paging import Page
from worktime import national

from workbench.domain import sending as rules
from workbench.domain.message import Message, MessageKind, MessageNotFound, Sender, post_mailbox
from workbench.domain.sending import Receipt, Receiver, SentMessage
from workbench.store import Tx
from workbench.usecases.todos import post_id_of, post_title_of

SOURCE = "workbench"


async def send_to_colleagues(
    tx: Tx, text: str, found: Sequence[Receiver], asked: Sequence[str], *, sentences: Mapping[str, str]
) -> SentMessage:
    """Send a message from the caller's post to other posts; never to citizens."""
    sender = Sender(post_id_of(tx), post_title_of(tx))
    to = rules.choose_receivers(found, asked, sender=sender.post_id)
    now = national().local(tx.unit.at)
    rules.check_limit(await tx.sent.count_since(sender.post_id, now.combine(now.date(), time(), now.tzinfo)))
    message_id = tx.unit.ids()
    message = Message(
        message_id=message_id,
        source=SOURCE,
        source_id=str(message_id),
        kind=MessageKind.FROM_COLLEAGUE,
        title=sentences["MESSAGE_FROM_COLLEAGUE_TITLE"],
        body=text,
        sent_at=tx.unit.at,
        sender=sender,
    )
    await tx.messages.send(message, [post_mailbox(each.post_id) for each in to])
    await tx.sent.add_receivers(message_id, to)
    _record(tx, "workbench.send_message", message_id, receivers=len(to))
    return await tx.sent.get(message_id)


async def list_sent(tx: Tx, *, cursor: str | None, size: int) -> Page[SentMessage]:
    """List what the caller's post sent, the newest first."""
    return await tx.sent.page(post_id_of(tx), cursor=cursor, size=size)


async def list_receipts(tx: Tx, message_id: UUID) -> list[Receipt]:
    """List who received a message of the caller's post, and who read it."""
    if (await tx.sent.get(message_id)).sender_post_id != post_id_of(tx):
        raise MessageNotFound(message_id=str(message_id))
    return await tx.sent.receipts(message_id)


async def recall_message(tx: Tx, message_id: UUID) -> SentMessage:
    """Take a message back (撤回): whoever has not read it never will, whoever has sees that it was."""
    await tx.sent.hold(message_id)
    message = await tx.sent.get(message_id)
    if message.recalled_at is not None and message.sender_post_id == post_id_of(tx):
        return message
    rules.check_recall(message, post_id=post_id_of(tx), at=tx.unit.at)
    await tx.sent.recall(message_id)
    _record(tx, "workbench.recall_message", message_id, read=message.read)
    return await tx.sent.get(message_id)


def _record(tx: Tx, act: str, message_id: UUID, **details: int) -> None:
    tx.unit.record(act, subject=("message", str(message_id)), details=details)
