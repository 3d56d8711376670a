"""Legal persons and their agents in the database."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from common.transaction import Transaction
from sqlalchemy import ColumnElement, Row, Select, select

from accounts.domain.identity import subject_fits
from accounts.domain.legal_person import Agency, AgencyNotFound, LegalPerson, LegalPersonNotFound
from accounts.models import agencies, legal_persons
from accounts.store.locks import hold

ADD = """
    INSERT INTO legal_persons (legal_person_id, uscc, name, representative_id, version)
    VALUES (:legal_person_id, :uscc, :body_name, :representative_id, :version)
    RETURNING 1
"""
ADD_AGENCY = """
    INSERT INTO agencies (agency_id, legal_person_id, agent_id, matters, items, valid_from, valid_until, version)
    VALUES (:agency_id, :legal_person_id, :agent_id, :matters, :items, :valid_from, :valid_until, :version)
    RETURNING 1
"""
REVOKE = """
    UPDATE agencies SET valid_until = :valid_until, version = :version
    WHERE agency_id = :agency_id AND version = :version_before
    RETURNING 1
"""


class LegalPersons:
    """Legal persons; who acts for one is for its representative and the agent to see."""

    def __init__(self, unit: Transaction) -> None:
        self._unit = unit

    async def hold(self, legal_person: LegalPerson) -> None:
        """Let nobody else register this legal person meanwhile."""
        await hold(self._unit, f"legal_persons:{legal_person.legal_person_id}", f"legal_persons:{legal_person.uscc}")

    def add(self, legal_person: LegalPerson) -> None:
        """Keep a new legal person."""
        self._unit.write(
            "add_legal_person",
            ADD,
            rows=1,
            legal_person_id=legal_person.legal_person_id,
            uscc=legal_person.uscc,
            body_name=legal_person.name,
            representative_id=legal_person.representative_id,
            version=legal_person.version,
        )

    async def find_same(self, legal_person: LegalPerson) -> list[LegalPerson]:
        """Find what has this id or this code."""
        same = legal_persons.c.legal_person_id == legal_person.legal_person_id
        return await self._where(same | (legal_persons.c.uscc == legal_person.uscc))

    async def named(self, legal_person_id: UUID | None, uscc: str) -> LegalPerson | None:
        """Find who has this id or, with none named, this code."""
        by_id, by_code = legal_persons.c.legal_person_id == legal_person_id, legal_persons.c.uscc == uscc
        found = await self._where(by_code if legal_person_id is None else by_id)
        return found[0] if found else None

    async def represented(self, legal_person_id: UUID, representative_id: UUID) -> LegalPerson:
        """Load a legal person for its representative."""
        found = await self._where(
            (legal_persons.c.legal_person_id == legal_person_id)
            & (legal_persons.c.representative_id == representative_id)
        )
        if not found:
            raise LegalPersonNotFound(legal_person_id=legal_person_id)
        return found[0]

    async def of_person(self, person_id: UUID) -> list[LegalPerson]:
        """Load those whom a person represents or was appointed by."""
        appointed = select(agencies.c.legal_person_id).where(agencies.c.agent_id == person_id)
        return await self._where(
            (legal_persons.c.representative_id == person_id) | legal_persons.c.legal_person_id.in_(appointed)
        )

    def appoint(self, agency: Agency) -> None:
        """Keep a new agency."""
        self._unit.write(
            "add_agency",
            ADD_AGENCY,
            rows=1,
            agency_id=agency.agency_id,
            legal_person_id=agency.legal_person_id,
            agent_id=agency.agent_id,
            matters=list(agency.matters),
            items=list(agency.items),
            valid_from=agency.valid_from,
            valid_until=agency.valid_until,
            version=agency.version,
        )

    def revoke(self, agency: Agency) -> None:
        """Keep that an agency is over."""
        self._unit.write(
            "revoke_agency",
            REVOKE,
            rows=1,
            agency_id=agency.agency_id,
            valid_until=agency.valid_until,
            version=agency.version,
            version_before=agency.version - 1,
        )

    async def lock_agency(self, legal_person_id: UUID, agency_id: UUID) -> Agency:
        """Load an agency of a legal person to change it."""
        named = (agencies.c.agency_id == agency_id) & (agencies.c.legal_person_id == legal_person_id)
        found = await self._agencies(select(agencies).where(named).with_for_update())
        if not found:
            raise AgencyNotFound(agency_id=agency_id)
        return found[0]

    async def agencies(self, legal_person_ids: Collection[UUID]) -> list[Agency]:
        """Load the agencies of legal persons, past ones included."""
        asked = agencies.c.legal_person_id.in_(legal_person_ids)
        return await self._agencies(select(agencies).where(asked).order_by(agencies.c.agency_id))

    async def _where(self, condition: ColumnElement[bool]) -> list[LegalPerson]:
        rows = await self._unit.connection.execute(
            select(legal_persons).where(condition).order_by(legal_persons.c.uscc)
        )
        return [_legal_person(row) for row in rows]

    async def _agencies(self, statement: Select[Any]) -> list[Agency]:
        return [_agency(row) for row in await self._unit.connection.execute(statement)]


def _legal_person(row: Row[Any]) -> LegalPerson:
    return LegalPerson(
        legal_person_id=row.legal_person_id,
        uscc=row.uscc,
        uscc_doubtful=not subject_fits(row.uscc),
        name=row.name,
        representative_id=row.representative_id,
        version=row.version,
    )


def _agency(row: Row[Any]) -> Agency:
    return Agency(
        agency_id=row.agency_id,
        legal_person_id=row.legal_person_id,
        agent_id=row.agent_id,
        matters=tuple(row.matters),
        items=tuple(row.items),
        valid_from=row.valid_from,
        valid_until=row.valid_until,
        version=row.version,
    )
