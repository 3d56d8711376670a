"""Persons who were registered twice: filings, cases and documents of the duplicate are the surviving person's."""

from typing import Any

from common.transaction import Transaction
from sqlalchemy import Column, update

from orchestration.store.documents import DOCUMENTS
from orchestration.store.rows import CASES, FILINGS

MOVED: tuple[Column[Any], ...] = (
    FILINGS.c.applicant_id,
    FILINGS.c.agent_id,
    CASES.c.applicant_id,
    DOCUMENTS.c.applicant_id,
)


class Duplicates:
    """Whose filings are whose, after two records were found to be of one person."""

    def __init__(self, unit: Transaction) -> None:
        self._unit = unit

    async def merge(self, merged_id: str, surviving_id: str) -> int:
        """Give the surviving person what was the duplicate's, and tell how many rows that were."""
        moved = 0
        for column in MOVED:
            statement = update(column.table).where(column == merged_id).values({column.name: surviving_id})
            moved += (await self._unit.connection.execute(statement)).rowcount
        return moved
