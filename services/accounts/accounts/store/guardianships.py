"""Guardianships in the database; what one was proven by is sealed."""

from typing import Any
from uuid import UUID

from common.transaction import Transaction
from sqlalchemy import Row, Select, or_, select

from accounts.domain.guardianship import Guardianship, GuardianshipBasis, GuardianshipNotFound
from accounts.models import guardianships as table
from accounts.store.locks import hold

ADD = """
    INSERT INTO guardianships (guardianship_id, guardian_id, ward_id, basis, proof, valid_from, valid_until, version)
    VALUES (:guardianship_id, :guardian_id, :ward_id, :basis, :proof, :valid_from, :valid_until, :version)
    RETURNING 1
"""
END = """
    UPDATE guardianships SET valid_until = :valid_until, version = :version
    WHERE guardianship_id = :guardianship_id AND version = :version_before
    RETURNING 1
"""


class Guardianships:
    """Who acts for which child. Like persons they belong to no department: who reads them is journalled."""

    def __init__(self, unit: Transaction) -> None:
        self._unit = unit

    async def hold(self, guardianship_id: UUID) -> None:
        """Let nobody else register this guardianship meanwhile."""
        await hold(self._unit, f"guardianships:{guardianship_id}")

    def add(self, guardianship: Guardianship) -> None:
        """Keep a new guardianship."""
        self._unit.write(
            "add_guardianship",
            ADD,
            rows=1,
            guardianship_id=guardianship.guardianship_id,
            guardian_id=guardianship.guardian_id,
            ward_id=guardianship.ward_id,
            basis=guardianship.basis.value,
            proof=self._unit.keys.seal(guardianship.proof.encode(), bound=_bound(guardianship.guardianship_id)),
            valid_from=guardianship.valid_from,
            valid_until=guardianship.valid_until,
            version=guardianship.version,
        )

    def end(self, guardianship: Guardianship) -> None:
        """Keep that a guardianship has ended."""
        self._unit.write(
            "end_guardianship",
            END,
            rows=1,
            guardianship_id=guardianship.guardianship_id,
            valid_until=guardianship.valid_until,
            version=guardianship.version,
            version_before=guardianship.version - 1,
        )

    async def find(self, guardianship_id: UUID) -> Guardianship | None:
        """Load one guardianship."""
        found = await self._where(select(table).where(table.c.guardianship_id == guardianship_id))
        return found[0] if found else None

    async def lock(self, guardianship_id: UUID) -> Guardianship:
        """Load a guardianship to change it."""
        found = await self._where(select(table).where(table.c.guardianship_id == guardianship_id).with_for_update())
        if not found:
            raise GuardianshipNotFound(guardianship_id=guardianship_id)
        return found[0]

    async def of_guardian(self, guardian_id: UUID) -> list[Guardianship]:
        """Load those in which a person is the guardian, past ones included."""
        return await self._where(select(table).where(table.c.guardian_id == guardian_id))

    async def of_person(self, person_id: UUID) -> list[Guardianship]:
        """Load those in which a person is guardian or ward, past ones included."""
        either = or_(table.c.guardian_id == person_id, table.c.ward_id == person_id)
        return await self._where(select(table).where(either).order_by(table.c.valid_until, table.c.guardianship_id))

    async def _where(self, statement: Select[Any]) -> list[Guardianship]:
        return [self._guardianship(row) for row in await self._unit.connection.execute(statement)]

    def _guardianship(self, row: Row[Any]) -> Guardianship:
        return Guardianship(
            guardianship_id=row.guardianship_id,
            guardian_id=row.guardian_id,
            ward_id=row.ward_id,
            basis=GuardianshipBasis(row.basis),
            proof=self._unit.keys.open(row.proof, bound=_bound(row.guardianship_id)).decode(),
            valid_from=row.valid_from,
            valid_until=row.valid_until,
            version=row.version,
        )


def _bound(guardianship_id: UUID) -> str:
    return f"guardianships.proof:{guardianship_id}"
