"""Persons who were registered twice: what named the duplicate names the surviving person, except what was recorded."""

from collections.abc import Sequence
from uuid import UUID

from common.transaction import Transaction
from sqlalchemy import select, text

from verification.models import duplicates

# Whoever came to survive under another id meanwhile, facts being in any order, is named by that.
REMEMBER = text("""
    INSERT INTO duplicates (merged_id, surviving_id)
    SELECT :merged, coalesce((SELECT surviving_id FROM duplicates WHERE merged_id = :surviving), :surviving)
    ON CONFLICT (merged_id) DO NOTHING
    RETURNING surviving_id
""")
MOVES = (
    "UPDATE duplicates SET surviving_id = :surviving WHERE surviving_id = :merged",
    # Who holds a licence under both ids holds it once.
    """
    DELETE FROM licence_holders h WHERE h.person_id = :merged
    AND EXISTS (SELECT FROM licence_holders o WHERE o.licence_id = h.licence_id AND o.person_id = :surviving)
    """,
    "UPDATE licence_holders SET person_id = :surviving WHERE person_id = :merged",
    "UPDATE consents SET holder_id = :surviving WHERE holder_id = :merged",
    "UPDATE consents SET grantee_id = :surviving WHERE grantee_id = :merged",
    # What waits already under the other id is asked once.
    """
    DELETE FROM consent_requests r WHERE answer = 'waiting' AND :merged IN (holder_id, grantee_id)
    AND EXISTS (
        SELECT FROM consent_requests o
        WHERE o.answer = 'waiting' AND o.filing_id = r.filing_id AND o.licence_types = r.licence_types
        AND o.holder_id = CASE r.holder_id WHEN :merged THEN :surviving ELSE r.holder_id END
        AND o.grantee_id = CASE r.grantee_id WHEN :merged THEN :surviving ELSE r.grantee_id END
    )
    """,
    "UPDATE consent_requests SET holder_id = :surviving WHERE holder_id = :merged",
    "UPDATE consent_requests SET grantee_id = :surviving WHERE grantee_id = :merged",
)


class Duplicates:
    """Ids that name a person who goes by another."""

    def __init__(self, unit: Transaction) -> None:
        self._unit = unit

    async def merge(self, merged_id: UUID, surviving_id: UUID) -> None:
        """Give the surviving person what was the duplicate's; evidence stays as it was recorded."""
        connection = self._unit.connection
        surviving = await connection.scalar(REMEMBER, {"merged": merged_id, "surviving": surviving_id})
        if surviving is None:
            return
        for move in MOVES:
            await connection.execute(text(move), {"merged": merged_id, "surviving": surviving})

    async def survivors(self, person_ids: Sequence[UUID]) -> list[UUID]:
        """Name each person by the id that he or she goes by now, in the order given."""
        statement = select(duplicates).where(duplicates.c.merged_id.in_(person_ids))
        known = {row.merged_id: row.surviving_id for row in await self._unit.connection.execute(statement)}
        return [known.get(person_id, person_id) for person_id in person_ids]
