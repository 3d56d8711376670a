"""What follows when two records are found to be of one person."""

from uuid import UUID

from verification.store import Tx


async def follow_merger(tx: Tx, merged_id: UUID, surviving_id: UUID) -> None:
    """Give the surviving person the licences and consents of the duplicate (合并)."""
    await tx.duplicates.merge(merged_id, surviving_id)
    tx.unit.record(
        "verification.follow_merger",
        subject=("person", str(merged_id)),
        owner=str(surviving_id),
        details={"merged_id": str(merged_id), "surviving_id": str(surviving_id)},
    )
