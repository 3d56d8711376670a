"""Matters: versions that never change once published."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from common.transaction import Transaction
from pydantic import TypeAdapter
from sqlalchemy import Date, bindparam, select
from sqlalchemy.dialects.postgresql import distinct_on, insert

from orchestration.domain.definition import Definition
from orchestration.domain.refusals import MatterChanged, MatterNotFound
from orchestration.models import MatterRow
from orchestration.store.rows import CASES

type Known = dict[tuple[str, int], Definition]

DEFINITION = TypeAdapter(Definition)
_table: Any = MatterRow.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Published:
    """A published version of a matter, without its content."""

    code: str
    version: int
    name: str
    effective_from: date
    checksum: str
    published_at: datetime


_SUMMARY = [_table.c[name] for name in Published.__slots__]
_NEWEST = (
    select(_table.c.code, _table.c.version, _table.c.definition)
    .ext(distinct_on(_table.c.code))
    .where(_table.c.effective_from <= bindparam("asked_day", type_=Date()))
    .order_by(_table.c.code, _table.c.version.desc())
    .subquery()
)
_CAUSE = _NEWEST.c.definition["proposed_by"]
# Built once: it is asked after every decision.
_PROPOSED_AFTER = (
    select(_NEWEST.c.code, _NEWEST.c.version)
    .join(CASES, (_CAUSE["matter"].astext == CASES.c.matter_code) & (_CAUSE["item"].astext == CASES.c.item))
    .where(CASES.c.id == bindparam("asked_case", type_=CASES.c.id.type))
    .order_by(_NEWEST.c.code)
)


class Matters:
    """The published versions."""

    def __init__(self, unit: Transaction, known: Known) -> None:
        self._unit = unit
        self._known = known

    async def newest(self, code: str) -> Published | None:
        rows = await self._unit.connection.execute(
            select(*_SUMMARY).where(_table.c.code == code).order_by(_table.c.version.desc()).limit(1)
        )
        row = rows.one_or_none()
        return Published(*row) if row else None

    async def effective(self, code: str, day: date) -> tuple[Definition, int]:
        """The version that filings begin with on a day."""
        rows = await self._unit.connection.execute(
            select(_table.c.version)
            .where(_table.c.code == code, _table.c.effective_from <= day)
            .order_by(_table.c.version.desc())
            .limit(1)
        )
        version = rows.scalar_one_or_none()
        if version is None:
            raise MatterNotFound(matter_code=code)
        return await self.get(code, version), version

    async def get(self, code: str, version: int) -> Definition:
        known = self._known.get((code, version))
        if known is None:
            rows = await self._unit.connection.execute(
                select(_table.c.definition).where(_table.c.code == code, _table.c.version == version)
            )
            known = self._known[code, version] = DEFINITION.validate_python(rows.scalar_one())
        return known

    async def in_effect(self, day: date) -> list[Published]:
        """The newest effective version of each matter."""
        rows = await self._unit.connection.execute(
            select(*_SUMMARY)
            .ext(distinct_on(_table.c.code))
            .where(_table.c.effective_from <= day)
            .order_by(_table.c.code, _table.c.version.desc())
        )
        return [Published(*row) for row in rows]

    async def proposed_after(self, case_id: str, day: date) -> list[tuple[Definition, int]]:
        """The matters in effect that are proposed after this case's item, with their versions; it is not locked."""
        rows = await self._unit.connection.execute(_PROPOSED_AFTER, {"asked_case": case_id, "asked_day": day})
        return [(await self.get(row.code, row.version), row.version) for row in rows.all()]

    async def add(self, definition: Definition, published: Published) -> None:
        rows = await self._unit.connection.execute(
            insert(_table)
            .values(
                **{name: getattr(published, name) for name in Published.__slots__},
                definition=DEFINITION.dump_python(definition, mode="json"),
            )
            .on_conflict_do_nothing()
            .returning(_table.c.version)
        )
        if rows.scalar_one_or_none() is None:
            raise MatterChanged(matter_code=definition.code)
