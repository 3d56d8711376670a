"""Matters: versions that never change once published."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from common import db
from common.transaction import Transaction
from pydantic import TypeAdapter
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on, insert

from orchestration.domain.definition import Definition
from orchestration.domain.refusals import MatterChanged, MatterNotFound
from orchestration.models import MatterRow

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
# Asked after every decision: an index tells at once that nothing is proposed, and no definition is read for that.
PROPOSED_AFTER = """
select m.code, m.version
from cases as c join matters as m on m.proposed_after_matter = c.matter_code and m.proposed_after_item = c.item
where c.id = $1 and m.effective_from <= $2
  and not exists (select from matters as n where n.code = m.code and n.version > m.version and n.effective_from <= $2)
order by m.code"""


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
        driver = await db.driver(self._unit.connection)
        rows = await driver.fetch(PROPOSED_AFTER, case_id, day)
        return [(await self.get(row["code"], row["version"]), row["version"]) for row in rows]

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
