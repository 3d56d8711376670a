"""Organisations in the database. Which organ exists is public; founding under a parent is a matter of scope."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from common.paging import Page, cut, decode
from common.scope import visible
from common.transaction import Transaction
from sqlalchemy import ColumnElement, Row, select

from accounts.domain.identity import subject_fits
from accounts.domain.organisation import Organisation, OrganisationNotFound
from accounts.models import organisations as table
from accounts.store.locks import hold

ADD = """
    INSERT INTO organisations (org_id, parent_id, code, name, department, uscc, region_code, org_path, version,
        line_parent_id)
    VALUES (:org_id, :parent_id, :code, :body_name, :department, :uscc, :region_code, :org_path, :version,
        :line_parent_id)
    RETURNING 1
"""


class Organisations:
    """Bodies in their tree."""

    def __init__(self, unit: Transaction) -> None:
        self._unit = unit

    async def hold(self, organisation: Organisation) -> None:
        """Let nobody else found this organisation meanwhile."""
        await hold(self._unit, f"organisations:{organisation.org_id}", f"organisations:{organisation.org_path}")

    def add(self, organisation: Organisation) -> None:
        """Keep a new organisation."""
        self._unit.write(
            "add_organisation",
            ADD,
            rows=1,
            org_id=organisation.org_id,
            parent_id=organisation.parent_id,
            code=organisation.code,
            body_name=organisation.name,
            department=organisation.department,
            uscc=organisation.uscc,
            region_code=organisation.region_code,
            org_path=organisation.org_path,
            version=organisation.version,
            line_parent_id=organisation.line_parent_id,
        )

    async def get(self, org_id: UUID) -> Organisation:
        """Load one organisation, for a reader."""
        found = await self.find([org_id])
        if not found:
            raise OrganisationNotFound(org_id=org_id)
        return found[0]

    async def within_scope(self, org_id: UUID) -> Organisation | None:
        """Load one organisation that the caller may change something of."""
        scope = visible(self._unit.actor, region=table.c.region_code, org=table.c.org_path)
        found = await self._where((table.c.org_id == org_id) & scope)
        return found[0] if found else None

    async def find(self, org_ids: Sequence[UUID]) -> list[Organisation]:
        """Load those of the organisations that are known."""
        return await self._where(table.c.org_id.in_(org_ids))

    async def find_same(self, organisation: Organisation) -> list[Organisation]:
        """Find what has this id or this path."""
        return await self._where((table.c.org_id == organisation.org_id) | (table.c.org_path == organisation.org_path))

    async def departments(self, codes: Collection[str], regions: Sequence[str]) -> list[Organisation]:
        """Find the bodies that are these departments in these regions."""
        return await self._where(table.c.department.in_(codes) & table.c.region_code.in_(regions))

    async def page(
        self, *, region_code: str | None, department: str | None, cursor: str | None, size: int
    ) -> Page[Organisation]:
        """List organisations by their path."""
        statement = select(table).order_by(table.c.org_path).limit(size + 1)
        if region_code is not None:
            statement = statement.where(table.c.region_code == region_code)
        if department is not None:
            statement = statement.where(table.c.department == department)
        if cursor is not None:
            statement = statement.where(table.c.org_path > decode(cursor, str)[0])
        rows = await self._unit.connection.execute(statement)
        return cut([_organisation(row) for row in rows], size, lambda organisation: (organisation.org_path,))

    async def _where(self, condition: ColumnElement[bool]) -> list[Organisation]:
        rows = await self._unit.connection.execute(select(table).where(condition).order_by(table.c.org_path))
        return [_organisation(row) for row in rows]


def _organisation(row: Row[Any]) -> Organisation:
    return Organisation(
        org_id=row.org_id,
        parent_id=row.parent_id,
        code=row.code,
        name=row.name,
        department=row.department,
        uscc=row.uscc,
        uscc_doubtful=not subject_fits(row.uscc),
        region_code=row.region_code,
        org_path=row.org_path,
        version=row.version,
        line_parent_id=row.line_parent_id,
    )
