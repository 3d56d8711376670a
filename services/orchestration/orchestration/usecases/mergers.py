"""What follows when two records are found to be of one person."""

from orchestration.store import Tx


async def follow_merger(tx: Tx, merged_id: str, surviving_id: str) -> None:
    """Give the surviving person the filings of the duplicate (合并); the journal keeps the ids of then."""
    moved = await tx.duplicates.merge(merged_id, surviving_id)
    if moved:
        tx.unit.record(
            "orchestration.follow_merger",
            subject=("person", merged_id),
            owner=surviving_id,
            details={"merged_id": merged_id, "surviving_id": surviving_id},
        )
