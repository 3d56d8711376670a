"""Persons in the database: sealed columns, found by id or by the blind index of the identity number."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from common.transaction import Transaction
from sqlalchemy import ColumnElement, Row, func, select

from accounts.domain.identity import IdNumber, NumberFlag
from accounts.domain.person import Person, PersonNotFound, ProofLevel
from accounts.models import persons
from accounts.store.locks import hold

ADD = """
    INSERT INTO persons (person_id, name, id_number, id_number_index, number_flag, phone, phone_index,
        proof_level, proof_obtained_at, version)
    VALUES (:person_id, :sealed_name, :id_number, :id_number_index, :number_flag, :phone, :phone_index,
        :proof_level, :proof_obtained_at, 1)
    RETURNING 1
"""

SURVIVING = func.coalesce(persons.c.merged_into, persons.c.person_id)


PROVE = """
    UPDATE persons SET proof_level = :proof_level, proof_obtained_at = :proof_obtained_at, version = version + 1
    WHERE person_id = :person_id AND proof_level = :seen_level AND proof_obtained_at = :seen_at RETURNING 1
"""


class Persons:
    """Natural persons. They belong to no region or department: who reads them is held to a purpose and journalled."""

    def __init__(self, unit: Transaction) -> None:
        self._unit = unit

    async def hold(self, person: Person) -> None:
        """Let nobody else register this person meanwhile."""
        index = self._index("id_number", person.id_number.text)
        await hold(self._unit, f"persons:{person.person_id}", f"persons:{index.hex()}")

    def add(self, person: Person) -> None:
        """Keep a new person."""
        keys, person_id = self._unit.keys, person.person_id
        phone = person.phone
        self._unit.write(
            "add_person",
            ADD,
            rows=1,
            person_id=person_id,
            sealed_name=keys.seal(person.name.encode(), bound=_bound("name", person_id)),
            id_number=keys.seal(person.id_number.text.encode(), bound=_bound("id_number", person_id)),
            id_number_index=self._index("id_number", person.id_number.text),
            number_flag=person.id_number.flag.value if person.id_number.flag else None,
            phone=None if phone is None else keys.seal(phone.encode(), bound=_bound("phone", person_id)),
            phone_index=None if phone is None else self._index("phone", phone),
            proof_level=person.proof_level.value,
            proof_obtained_at=person.proof_obtained_at,
        )

    def keep_proof(self, seen: Person, person: Person) -> None:
        """Keep how surely a known person is known now."""
        self._unit.write(
            "keep_proof",
            PROVE,
            rows=1,
            person_id=person.person_id,
            proof_level=person.proof_level.value,
            proof_obtained_at=person.proof_obtained_at,
            seen_level=seen.proof_level.value,
            seen_at=seen.proof_obtained_at,
        )

    async def get(self, person_id: UUID) -> Person:
        """Load one person."""
        found = await self.find([person_id])
        if not found:
            raise PersonNotFound(person_id=person_id)
        return found[0]

    async def find(self, person_ids: Sequence[UUID]) -> list[Person]:
        """Load those of the persons who are known; the id of a duplicate names the person it was merged into."""
        return await self._surviving(persons.c.person_id.in_(person_ids))

    async def survivors(self, person_ids: Collection[UUID]) -> dict[UUID, UUID]:
        """Tell which person each id names; one that names nobody is left out."""
        statement = select(persons.c.person_id, SURVIVING).where(persons.c.person_id.in_(person_ids))
        return {row[0]: row[1] for row in await self._unit.connection.execute(statement)}

    async def find_by_number(self, id_number: str) -> Person | None:
        """Find who has this identity number, by its blind index."""
        found = await self._surviving(persons.c.id_number_index == self._index("id_number", id_number))
        return found[0] if found else None

    async def find_same(self, person: Person) -> list[Person]:
        """Find who has this id or this identity number."""
        index = self._index("id_number", person.id_number.text)
        return await self._where((persons.c.person_id == person.person_id) | (persons.c.id_number_index == index))

    async def _surviving(self, condition: ColumnElement[bool]) -> list[Person]:
        return await self._where(persons.c.person_id.in_(select(SURVIVING).where(condition)))

    async def _where(self, condition: ColumnElement[bool]) -> list[Person]:
        rows = await self._unit.connection.execute(select(persons).where(condition))
        return [self._person(row) for row in rows]

    def _person(self, row: Row[Any]) -> Person:
        def opened(column: str, sealed: bytes) -> str:
            return self._unit.keys.open(sealed, bound=_bound(column, row.person_id)).decode()

        return Person(
            person_id=row.person_id,
            name=opened("name", row.name),
            id_number=IdNumber(
                opened("id_number", row.id_number), NumberFlag(row.number_flag) if row.number_flag else None
            ),
            phone=None if row.phone is None else opened("phone", row.phone),
            proof_level=ProofLevel(row.proof_level),
            proof_obtained_at=row.proof_obtained_at,
        )

    def _index(self, column: str, value: str) -> bytes:
        return self._unit.keys.blind(value, field=f"persons.{column}")


def _bound(column: str, person_id: UUID) -> str:
    return f"persons.{column}:{person_id}"
