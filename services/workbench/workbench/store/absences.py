"""Who is away, in the database."""

from typing import Any

from common.transaction import Transaction
from sqlalchemy import delete, select, text
from sqlalchemy.dialects.postgresql import insert

from workbench.domain.absence import Absence
from workbench.models import absences

# Whoever gives a post work and whoever declares it absent meet here, before either looks at a todo.
SHARE = text("SELECT pg_advisory_xact_lock_shared(hashtextextended('absences:' || :post_id, 0))")
HOLD = text("SELECT pg_advisory_xact_lock(hashtextextended('absences:' || :post_id, 0))")


class Absences:
    """Absences by post."""

    def __init__(self, unit: Transaction) -> None:
        self._unit = unit

    async def share(self, post_id: str) -> Absence:
        """Load a post's absence, and keep it from changing while the post is given work."""
        await self._unit.connection.execute(SHARE, {"post_id": post_id})
        return await self.get(post_id)

    async def get(self, post_id: str) -> Absence:
        """Load a post's absence."""
        statement = select(absences.c.returns_on).where(absences.c.post_id == post_id)
        return Absence((await self._unit.connection.execute(statement)).scalar_one_or_none())

    async def hold(self, post_id: str) -> None:
        """Let nobody give a post work meanwhile."""
        await self._unit.connection.execute(HOLD, {"post_id": post_id})

    async def keep(self, post_id: str, absence: Absence) -> None:
        """Keep from when a post is away or back; nobody gives it work meanwhile."""
        await self.hold(post_id)
        statement: Any = delete(absences).where(absences.c.post_id == post_id)
        if absence.returns_on is not None:
            new = {"returns_on": absence.returns_on}
            statement = insert(absences).values(post_id=post_id, **new)
            statement = statement.on_conflict_do_update(index_elements=[absences.c.post_id], set_=new)
        await self._unit.connection.execute(statement)
