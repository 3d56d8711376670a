"""Mergers in the database, and what follows from one; the grounds are sealed."""

from typing import Any
from uuid import UUID

from common.paging import Page, cut, decode
from common.transaction import Transaction
from sqlalchemy import Row, exists, or_, select, update

from accounts.domain.merger import Merger, MergerNotFound, MergerState
from accounts.models import agencies, guardianships, legal_persons, persons
from accounts.models import mergers as table
from accounts.store.locks import hold

ADD = """
    INSERT INTO mergers (merger_id, surviving_id, merged_id, grounds, requested_by, requested_at, state)
    VALUES (:merger_id, :surviving_id, :merged_id, :grounds, :requested_by, :requested_at, :state)
    RETURNING 1
"""
DECIDE = """
    UPDATE mergers SET state = :state, decided_by = :decided_by, decided_at = :decided_at
    WHERE merger_id = :merger_id AND state = 'requested'
    RETURNING 1
"""
# Whatever names the merged person and is not history names the surviving one from now on.
MOVED = (
    persons.c.merged_into,
    guardianships.c.guardian_id,
    guardianships.c.ward_id,
    legal_persons.c.representative_id,
    agencies.c.agent_id,
)


class Mergers:
    """Requests to merge two persons, and the mergers made."""

    def __init__(self, unit: Transaction) -> None:
        self._unit = unit

    async def hold(self, merger: Merger) -> None:
        """Let nobody else ask about or decide on these two meanwhile."""
        await hold(self._unit, *(f"mergers:{person_id}" for person_id in (merger.surviving_id, merger.merged_id)))

    async def is_requested(self, merger: Merger) -> bool:
        """Say whether one of the two is named in an open request."""
        named = (merger.surviving_id, merger.merged_id)
        asked = or_(table.c.surviving_id.in_(named), table.c.merged_id.in_(named))
        found = select(exists().where(asked, table.c.state == MergerState.REQUESTED.value))
        return bool(await self._unit.connection.scalar(found))

    async def is_ward(self, merger: Merger) -> bool:
        """Say whether one of the two is or was the guardian of the other."""
        named = (merger.surviving_id, merger.merged_id)
        both = guardianships.c.guardian_id.in_(named) & guardianships.c.ward_id.in_(named)
        return bool(await self._unit.connection.scalar(select(exists().where(both))))

    def add(self, merger: Merger) -> None:
        """Keep a request."""
        self._unit.write(
            "add_merger",
            ADD,
            rows=1,
            merger_id=merger.merger_id,
            surviving_id=merger.surviving_id,
            merged_id=merger.merged_id,
            grounds=self._unit.keys.seal(merger.grounds.encode(), bound=_bound(merger.merger_id)),
            requested_by=merger.requested_by,
            requested_at=merger.requested_at,
            state=merger.state.value,
        )

    def decide(self, merger: Merger) -> None:
        """Keep how a request was decided."""
        self._unit.write(
            "decide_merger",
            DECIDE,
            rows=1,
            merger_id=merger.merger_id,
            state=merger.state.value,
            decided_by=merger.decided_by,
            decided_at=merger.decided_at,
        )

    async def move(self, merger: Merger) -> None:
        """Give the surviving person what was the merged one's."""
        connection, old, new = self._unit.connection, merger.merged_id, merger.surviving_id
        await connection.execute(update(persons).where(persons.c.person_id == old).values(merged_into=new))
        for column in MOVED:
            await connection.execute(update(column.table).where(column == old).values({column.name: new}))

    async def get(self, merger_id: UUID) -> Merger:
        """Load one merger."""
        row = (await self._unit.connection.execute(select(table).where(table.c.merger_id == merger_id))).one_or_none()
        if row is None:
            raise MergerNotFound(merger_id=merger_id)
        return self._merger(row)

    async def page(self, *, state: MergerState | None, cursor: str | None, size: int) -> Page[Merger]:
        """List mergers, the latest first."""
        statement = select(table).order_by(table.c.merger_id.desc()).limit(size + 1)
        if state is not None:
            statement = statement.where(table.c.state == state.value)
        if cursor:
            statement = statement.where(table.c.merger_id < decode(cursor, UUID)[0])
        rows = await self._unit.connection.execute(statement)
        return cut([self._merger(row) for row in rows], size, lambda merger: (merger.merger_id,))

    def _merger(self, row: Row[Any]) -> Merger:
        return Merger(
            merger_id=row.merger_id,
            surviving_id=row.surviving_id,
            merged_id=row.merged_id,
            grounds=self._unit.keys.open(row.grounds, bound=_bound(row.merger_id)).decode(),
            requested_by=row.requested_by,
            requested_at=row.requested_at,
            state=MergerState(row.state),
            decided_by=row.decided_by,
            decided_at=row.decided_at,
        )


def _bound(merger_id: UUID) -> str:
    return f"mergers.grounds:{merger_id}"
