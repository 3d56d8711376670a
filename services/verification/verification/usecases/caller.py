"""Who asks."""

from uuid import UUID

from verification.domain.refusals import IdMalformed
from verification.store import Tx


def person(tx: Tx) -> UUID:
    """Name the person who calls."""
    try:
        return UUID(tx.unit.actor.id)
    except ValueError as error:
        raise IdMalformed(field="person_id") from error
