"""Attachments: encrypted, in pieces, in a table of their own.

An object store can come later behind `keep` and `content`.
"""

from typing import Any

from common.transaction import Transaction
from sqlalchemy import delete, func, insert, select
from sqlalchemy.dialects.postgresql import JSONB, aggregate_order_by

from orchestration.domain.attachment import Attachment, Kind
from orchestration.domain.refusals import AttachmentNotFound
from orchestration.models import AttachmentRow, PieceRow

ATTACHMENTS: Any = AttachmentRow.__table__  # type: ignore[attr-defined]
PIECES: Any = PieceRow.__table__  # type: ignore[attr-defined]

_PIECE = 256 * 1024


def uploaded_column(filing_id: Any) -> Any:
    """Which requirements of a filing have attachments, as one column of the statement that loads it."""
    pair = func.jsonb_build_array(ATTACHMENTS.c.requirement, ATTACHMENTS.c.attachment_id)
    return (
        select(func.jsonb_agg(aggregate_order_by(pair, ATTACHMENTS.c.attachment_id), type_=JSONB))
        .where(ATTACHMENTS.c.filing_id == filing_id)
        .scalar_subquery()
        .label("uploaded")
    )


def uploaded_of(stored: list[list[str]] | None) -> dict[str, tuple[str, ...]]:
    uploaded: dict[str, tuple[str, ...]] = {}
    for requirement, attachment_id in stored or ():
        uploaded[requirement] = (*uploaded.get(requirement, ()), attachment_id)
    return uploaded


class Attachments:
    """The files of filings. Whose filing it is, the caller has asked before."""

    def __init__(self, unit: Transaction) -> None:
        self._unit = unit

    async def of_filing(self, filing_id: str) -> list[Attachment]:
        rows = await self._unit.connection.execute(
            select(ATTACHMENTS).where(ATTACHMENTS.c.filing_id == filing_id).order_by(ATTACHMENTS.c.attachment_id)
        )
        return [self._attachment(row) for row in rows]

    async def get(self, filing_id: str, attachment_id: str) -> Attachment:
        rows = await self._unit.connection.execute(
            select(ATTACHMENTS).where(
                ATTACHMENTS.c.filing_id == filing_id, ATTACHMENTS.c.attachment_id == attachment_id
            )
        )
        row = rows.one_or_none()
        if row is None:
            raise AttachmentNotFound(attachment_id=attachment_id)
        return self._attachment(row)

    async def keep(self, attachment: Attachment, content: bytes) -> None:
        """Seal a file and keep it."""
        keys, name = self._unit.keys, attachment.attachment_id
        await self._unit.connection.execute(
            insert(ATTACHMENTS).values(
                attachment_id=name,
                filing_id=attachment.filing_id,
                requirement=attachment.requirement,
                name=keys.seal(attachment.name.encode(), bound=f"attachments.name:{name}"),
                kind=attachment.kind.value,
                size=attachment.size,
                digest=attachment.digest,
                uploaded_at=attachment.uploaded_at,
            )
        )
        pieces = [content[start : start + _PIECE] for start in range(0, len(content), _PIECE)]
        for place, piece in enumerate(pieces):
            sealed = keys.seal(piece, bound=f"attachment_pieces.content:{name}:{place}")
            await self._unit.connection.execute(insert(PIECES).values(attachment_id=name, place=place, content=sealed))

    async def content(self, attachment: Attachment) -> bytes:
        """Open a file."""
        keys, name = self._unit.keys, attachment.attachment_id
        rows = await self._unit.connection.execute(
            select(PIECES.c.place, PIECES.c.content).where(PIECES.c.attachment_id == name).order_by(PIECES.c.place)
        )
        return b"".join(keys.open(row.content, bound=f"attachment_pieces.content:{name}:{row.place}") for row in rows)

    async def remove(self, attachment: Attachment) -> None:
        await self._unit.connection.execute(
            delete(ATTACHMENTS).where(ATTACHMENTS.c.attachment_id == attachment.attachment_id)
        )

    def _attachment(self, row: Any) -> Attachment:
        name = self._unit.keys.open(row.name, bound=f"attachments.name:{row.attachment_id}").decode()
        return Attachment(
            attachment_id=row.attachment_id,
            filing_id=row.filing_id,
            requirement=row.requirement,
            name=name,
            kind=Kind(row.kind),
            size=row.size,
            digest=row.digest,
            uploaded_at=row.uploaded_at,
        )
