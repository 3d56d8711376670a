"""Messages in the database; a reader sees what lies in his or her own mailboxes."""

from asyncio import Event
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from common import db
from common.paging import Page, cut, decode
from common.transaction import Transaction
from sqlalchemy import ColumnElement, Row, Select, and_, func, or_, select, text, tuple_

from workbench.domain.message import Delivery, Message, MessageKind, MessageNotFound, MessageView, Place
from workbench.models import deliveries, mailboxes, messages, receipts

# The mailbox's row is locked until the commit: its numbers become visible in their order, and none is missed.
SEND = """
    WITH sent AS (
        INSERT INTO messages (message_id, source, source_id, kind, title, body, sent_at, sender_post_id, sender_title)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        ON CONFLICT (source, source_id, kind) DO NOTHING
        RETURNING message_id),
    numbered AS (
        INSERT INTO mailboxes (mailbox, last_seq)
        SELECT DISTINCT recipient, 1 FROM sent, unnest($10::varchar[]) AS recipient ORDER BY recipient
        ON CONFLICT (mailbox) DO UPDATE SET last_seq = mailboxes.last_seq + 1
        RETURNING mailbox, last_seq)
    INSERT INTO deliveries (mailbox, seq, message_id) SELECT mailbox, last_seq, message_id FROM numbered, sent
"""
DELIVER = text("""
    INSERT INTO receipts (message_id, reader, delivered_at)
    SELECT message_id, :reader, :at FROM unnest(CAST(:message_ids AS uuid[])) AS message_id
    ON CONFLICT DO NOTHING
""")
READ = text("""
    INSERT INTO receipts (message_id, reader, delivered_at, read_at) VALUES (:message_id, :reader, :at, :at)
    ON CONFLICT (message_id, reader) DO UPDATE SET read_at = COALESCE(receipts.read_at, EXCLUDED.read_at)
""")


class Messages:
    """Messages, mailboxes and receipts."""

    def __init__(self, unit: Transaction, stirred: Event) -> None:
        self._unit = unit
        self._stirred = stirred

    async def send(self, message: Message, recipients: Sequence[str]) -> None:
        """Put a message into mailboxes, unless its source told this before."""
        body = self._unit.keys.seal(message.body.encode(), bound=body_of(message.message_id))
        sender = message.sender
        driver = await db.driver(self._unit.connection)
        await driver.execute(
            SEND,
            *(message.message_id, message.source, message.source_id, message.kind, message.title, body),
            *(message.sent_at, sender and sender.post_id, sender and sender.title, recipients),
        )
        self._stirred.set()

    async def page(
        self, reader: str, boxes: Sequence[str], *, unread: bool, cursor: str | None, size: int
    ) -> Page[MessageView]:
        """List a reader's messages, the newest first; what is given is delivered."""
        order = (messages.c.sent_at, messages.c.message_id)
        statement = self._read_by(reader, boxes).order_by(*(key.desc() for key in order)).limit(size + 1)
        if unread:
            statement = statement.where(_unread())
        if cursor:
            statement = statement.where(tuple_(*order) < tuple_(*decode(cursor, datetime, UUID)))
        rows = (await self._unit.connection.execute(statement)).all()
        page = cut(rows, size, lambda row: (row.sent_at, row.message_id))
        await self._deliver(reader, page.items)
        return Page([self._view(row) for row in page.items], page.next_cursor)

    async def get(self, reader: str, boxes: Sequence[str], message_id: UUID) -> MessageView:
        """Load one of a reader's messages; it is delivered."""
        statement = self._read_by(reader, boxes).where(messages.c.message_id == message_id)
        row = (await self._unit.connection.execute(statement)).one_or_none()
        if row is None:
            raise MessageNotFound(message_id=str(message_id))
        await self._deliver(reader, [row])
        return self._view(row)

    async def share(self, reader: str, boxes: Sequence[str], message_id: UUID) -> MessageView:
        """Load one of a reader's messages, and keep it from being recalled while it is read."""
        statement = select(messages.c.message_id).where(messages.c.message_id == message_id)
        await self._unit.connection.execute(statement.with_for_update(read=True))
        return await self.get(reader, boxes, message_id)

    async def read(self, reader: str, message_id: UUID) -> None:
        """Keep that a reader read a message; the first time stands."""
        told = {"message_id": message_id, "reader": reader, "at": self._unit.at}
        await self._unit.connection.execute(READ, told)
        self._stirred.set()

    async def count_unread(self, reader: str, boxes: Sequence[str]) -> int:
        """Count what a reader has not read."""
        unread = self._read_by(reader, boxes).where(_unread()).subquery()
        return int((await self._unit.connection.execute(select(func.count()).select_from(unread))).scalar_one())

    async def place(self, boxes: Sequence[str]) -> Place:
        """Tell where mailboxes stand now."""
        heads = await self.heads(boxes)
        return Place(tuple(boxes), tuple(heads.get(box, 0) for box in boxes))

    async def heads(self, boxes: Sequence[str]) -> dict[str, int]:
        """Tell the last number of each mailbox that holds anything."""
        statement = select(mailboxes.c.mailbox, mailboxes.c.last_seq).where(mailboxes.c.mailbox.in_(boxes))
        return {row.mailbox: row.last_seq for row in await self._unit.connection.execute(statement)}

    async def since(self, place: Place, most: int) -> list[Delivery]:
        """List what came after a place, in each mailbox in order."""
        behind = [
            and_(deliveries.c.mailbox == box, deliveries.c.seq > seq)
            for box, seq in zip(place.mailboxes, place.seqs, strict=True)
        ]
        shown = (messages.c.message_id, messages.c.kind, messages.c.title, messages.c.sent_at, messages.c.recalled_at)
        statement = (
            select(deliveries.c.mailbox, deliveries.c.seq, *shown)
            .join_from(deliveries, messages, deliveries.c.message_id == messages.c.message_id)
            .where(or_(*behind))
            .order_by(deliveries.c.mailbox, deliveries.c.seq)
            .limit(most)
        )
        rows = await self._unit.connection.execute(statement)
        return [Delivery(*row[:3], MessageKind(row.kind), *row[4:]) for row in rows]

    def _read_by(self, reader: str, boxes: Sequence[str]) -> Select[Any]:
        theirs: ColumnElement[bool] = and_(receipts.c.message_id == messages.c.message_id, receipts.c.reader == reader)
        held = select(deliveries.c.message_id).where(deliveries.c.mailbox.in_(boxes))
        return (
            select(messages, receipts.c.delivered_at, receipts.c.read_at)
            .join_from(messages, receipts, theirs, isouter=True)
            .where(messages.c.message_id.in_(held))
        )

    async def _deliver(self, reader: str, rows: Sequence[Row[Any]]) -> None:
        new = [row.message_id for row in rows if row.delivered_at is None]
        if new:
            told = {"reader": reader, "at": self._unit.at, "message_ids": new}
            await self._unit.connection.execute(DELIVER, told)

    def _view(self, row: Row[Any]) -> MessageView:
        return MessageView(
            message_id=row.message_id,
            source=row.source,
            source_id=row.source_id,
            kind=MessageKind(row.kind),
            title=row.title,
            body=self._unit.keys.open(row.body, bound=body_of(row.message_id)).decode(),
            sent_at=row.sent_at,
            delivered_at=row.delivered_at or self._unit.at,
            read_at=row.read_at,
            sender_title=row.sender_title,
            recalled_at=row.recalled_at,
        )


def _unread() -> ColumnElement[bool]:
    return receipts.c.read_at.is_(None) & messages.c.recalled_at.is_(None)


def body_of(message_id: UUID) -> str:
    return f"messages.body:{message_id}"
