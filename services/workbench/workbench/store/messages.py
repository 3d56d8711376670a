"""Messages in the database; a reader sees what lies in his or her own mailboxes."""

from asyncio import Event
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from common import db
from common.paging import Key, Page, cut, decode
from common.transaction import Transaction
from sqlalchemy import Row, and_, or_, select, text

from workbench.domain.message import UNREAD_FOR, Delivery, Message, MessageKind, MessageNotFound, MessageView, Place
from workbench.models import deliveries, mailboxes, messages
from workbench.store.todo_list import LONG_AGO

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
    INSERT INTO deliveries (mailbox, seq, message_id, sent_at)
    SELECT mailbox, last_seq, message_id, $7 FROM numbered, sent
"""
# A mailbox keeps its list in an index: one mailbox after the other is read, and of each not more than a page. What was
# read and what was recalled is asked of those alone that come by.
HELD = """
    SELECT d.message_id, d.sent_at FROM deliveries AS d
    WHERE d.mailbox = box AND d.sent_at > :since AND (d.sent_at, d.message_id) < (:sent_at, :message_id)
"""
UNREAD = """
    AND NOT EXISTS (SELECT FROM receipts AS r
                    WHERE r.message_id = d.message_id AND r.reader = :reader AND r.read_at IS NOT NULL)
    AND NOT EXISTS (SELECT FROM messages AS m WHERE m.message_id = d.message_id AND m.recalled_at IS NOT NULL)
"""
LIST = """
    SELECT m.*, r.delivered_at, r.read_at
    FROM (SELECT DISTINCT held.* FROM unnest(CAST(:boxes AS varchar[])) AS box,
          LATERAL ({held} ORDER BY d.sent_at DESC, d.message_id DESC LIMIT :size) AS held) AS listed
    JOIN messages AS m ON m.message_id = listed.message_id
    LEFT JOIN receipts AS r ON r.message_id = m.message_id AND r.reader = :reader
    ORDER BY listed.sent_at DESC, listed.message_id DESC LIMIT :size
"""
COUNT = """
    SELECT count(DISTINCT held.message_id) FROM unnest(CAST(:boxes AS varchar[])) AS box, LATERAL ({held}) AS held
"""
GET = text("""
    SELECT m.*, r.delivered_at, r.read_at FROM messages AS m
    LEFT JOIN receipts AS r ON r.message_id = m.message_id AND r.reader = :reader
    WHERE m.message_id = :message_id
      AND EXISTS (SELECT FROM deliveries AS d
                  WHERE d.message_id = :message_id AND d.mailbox = ANY(CAST(:boxes AS varchar[])))
""")
LISTS = {False: text(LIST.format(held=HELD)), True: text(LIST.format(held=HELD + UNREAD))}
COUNT_UNREAD = text(COUNT.format(held=HELD + UNREAD))
DELIVER = text("""
    INSERT INTO receipts (message_id, reader, delivered_at)
    SELECT message_id, :reader, :at FROM unnest(CAST(:message_ids AS uuid[])) AS message_id
    ON CONFLICT DO NOTHING
""")
READ = text("""
    INSERT INTO receipts (message_id, reader, delivered_at, read_at) VALUES (:message_id, :reader, :at, :at)
    ON CONFLICT (message_id, reader) DO UPDATE SET read_at = COALESCE(receipts.read_at, EXCLUDED.read_at)
""")

LAST = (datetime(9999, 12, 30, tzinfo=UTC), UUID(int=2**128 - 1))


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
        asked = self._asked(reader, boxes, unread=unread, before=decode(cursor, datetime, UUID) if cursor else LAST)
        rows = (await self._unit.connection.execute(LISTS[unread], {**asked, "size": size + 1})).all()
        page = cut(rows, size, lambda row: (row.sent_at, row.message_id))
        await self._deliver(reader, page.items)
        return Page([self._view(row) for row in page.items], page.next_cursor)

    async def get(self, reader: str, boxes: Sequence[str], message_id: UUID) -> MessageView:
        """Load one of a reader's messages; it is delivered."""
        asked = {"reader": reader, "boxes": list(boxes), "message_id": message_id}
        row = (await self._unit.connection.execute(GET, asked)).one_or_none()
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
        asked = self._asked(reader, boxes, unread=True, before=LAST)
        return int((await self._unit.connection.execute(COUNT_UNREAD, asked)).scalar_one())

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

    def _asked(self, reader: str, boxes: Sequence[str], *, unread: bool, before: tuple[Key, ...]) -> dict[str, Any]:
        since = self._unit.at - UNREAD_FOR if unread else LONG_AGO
        sent_at, message_id = before
        return {"reader": reader, "boxes": list(boxes), "since": since, "sent_at": sent_at, "message_id": message_id}

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


def body_of(message_id: UUID) -> str:
    return f"messages.body:{message_id}"
