"""Messages in the database as their sender sees them."""

from asyncio import Event
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from common.paging import Page, cut, decode
from common.transaction import Transaction
from sqlalchemy import Row, Select, and_, func, insert, select, text

from workbench.domain.message import MessageNotFound, post_mailbox
from workbench.domain.sending import Receipt, Receiver, SentMessage
from workbench.models import messages, receipts, receivers
from workbench.store.messages import body_of

# A post's messages are counted one after the other.
HOLD = text("SELECT pg_advisory_xact_lock(hashtextextended('messages:' || :post_id, 0))")
# Every mailbox is told once more, under a new number: its readers hear that the message was taken back.
RECALL = text("""
    WITH recalled AS (
        UPDATE messages SET recalled_at = :at WHERE message_id = :message_id AND recalled_at IS NULL
        RETURNING message_id),
    numbered AS (
        INSERT INTO mailboxes (mailbox, last_seq)
        SELECT DISTINCT mailbox, CAST(1 AS bigint) FROM deliveries JOIN recalled USING (message_id) ORDER BY mailbox
        ON CONFLICT (mailbox) DO UPDATE SET last_seq = mailboxes.last_seq + 1
        RETURNING mailbox, last_seq)
    INSERT INTO deliveries (mailbox, seq, message_id) SELECT mailbox, last_seq, message_id FROM numbered, recalled
""")


class Sent:
    """What posts sent, to whom, and who read it."""

    def __init__(self, unit: Transaction, stirred: Event) -> None:
        self._unit = unit
        self._stirred = stirred

    async def count_since(self, post_id: str, since: datetime) -> int:
        """Count what a post sent since a moment; it sends nothing else meanwhile."""
        await self._unit.connection.execute(HOLD, {"post_id": post_id})
        mine = (messages.c.sender_post_id == post_id) & (messages.c.sent_at >= since)
        return int((await self._unit.connection.execute(select(func.count()).where(mine))).scalar_one())

    async def add_receivers(self, message_id: UUID, to: Sequence[Receiver]) -> None:
        """Keep who receives a message."""
        rows = [
            {"message_id": message_id, "post_id": each.post_id, "title": each.title, "org_id": each.org_id}
            for each in to
        ]
        await self._unit.connection.execute(insert(receivers), rows)

    async def page(self, post_id: str, *, cursor: str | None, size: int) -> Page[SentMessage]:
        """List what a post sent, the newest first."""
        statement = self._sent().where(messages.c.sender_post_id == post_id)
        statement = statement.order_by(messages.c.message_id.desc()).limit(size + 1)
        if cursor:
            statement = statement.where(messages.c.message_id < decode(cursor, UUID)[0])
        rows = (await self._unit.connection.execute(statement)).all()
        return cut([self._message(row) for row in rows], size, lambda message: (message.message_id,))

    async def get(self, message_id: UUID) -> SentMessage:
        """Load a message that a post sent. Who may know is the caller's question."""
        found = await self._unit.connection.execute(self._sent().where(messages.c.message_id == message_id))
        row = found.one_or_none()
        if row is None:
            raise MessageNotFound(message_id=str(message_id))
        return self._message(row)

    async def hold(self, message_id: UUID) -> None:
        """Let nobody read a message or take it back meanwhile."""
        statement = select(messages.c.message_id).where(messages.c.message_id == message_id)
        await self._unit.connection.execute(statement.with_for_update())

    async def recall(self, message_id: UUID) -> None:
        """Keep that a message was taken back, and tell its mailboxes."""
        await self._unit.connection.execute(RECALL, {"message_id": message_id, "at": self._unit.at})
        self._stirred.set()

    async def receipts(self, message_id: UUID) -> list[Receipt]:
        """List the receivers of a message with what each did with it."""
        statement = (
            select(receivers, receipts.c.delivered_at, receipts.c.read_at)
            .join_from(receivers, receipts, _theirs(), isouter=True)
            .where(receivers.c.message_id == message_id)
            .order_by(receivers.c.org_id, receivers.c.title, receivers.c.post_id)
        )
        rows = await self._unit.connection.execute(statement)
        return [Receipt(row.post_id, row.title, row.org_id, row.delivered_at, row.read_at) for row in rows]

    def _sent(self) -> Select[Any]:
        counted = (
            select(func.count().label("receivers"), func.count(receipts.c.read_at).label("read"))
            .select_from(receivers)
            .join(receipts, _theirs(), isouter=True)
            .where(receivers.c.message_id == messages.c.message_id)
            .lateral()
        )
        return select(messages, counted).where(messages.c.sender_post_id.is_not(None))

    def _message(self, row: Row[Any]) -> SentMessage:
        return SentMessage(
            message_id=row.message_id,
            sender_post_id=row.sender_post_id,
            sender_title=row.sender_title,
            text=self._unit.keys.open(row.body, bound=body_of(row.message_id)).decode(),
            sent_at=row.sent_at,
            recalled_at=row.recalled_at,
            receivers=row.receivers,
            read=row.read,
        )


def _theirs() -> Any:
    reader = func.concat(post_mailbox(""), receivers.c.post_id)
    return and_(receipts.c.message_id == receivers.c.message_id, receipts.c.reader == reader)
