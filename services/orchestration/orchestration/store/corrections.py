"""Corrections of decisions; what they say is sealed, and none is ever changed."""

from typing import Any

from common.transaction import Transaction
from pydantic import TypeAdapter
from sqlalchemy import select

from orchestration.domain.correction import Correction
from orchestration.models import CorrectionRow

CORRECTIONS: Any = CorrectionRow.__table__  # type: ignore[attr-defined]
_CONTENT = TypeAdapter(Correction)

_ADD = """
insert into corrections (correction_id, case_id, filing_id, content, corrected_at)
values (cast(:correction_id as uuid), cast(:case_id as uuid), cast(:filing_id as uuid), :content, :corrected_at)
returning 1"""


class Corrections:
    """The corrections of cases; who may know of them is the caller's question."""

    def __init__(self, unit: Transaction) -> None:
        self._unit = unit

    def add(self, correction: Correction) -> None:
        content = self._unit.keys.seal(_CONTENT.dump_json(correction), bound=_bound(correction.correction_id))
        self._unit.write(
            "add_correction",
            _ADD,
            rows=1,
            correction_id=correction.correction_id,
            case_id=correction.case_id,
            filing_id=correction.filing_id,
            content=content,
            corrected_at=correction.corrected_at,
        )

    async def of_case(self, case_id: str) -> tuple[Correction, ...]:
        """Oldest first."""
        return await self._found(CORRECTIONS.c.case_id == case_id)

    async def of_filing(self, filing_id: str) -> tuple[Correction, ...]:
        return await self._found(CORRECTIONS.c.filing_id == filing_id)

    async def _found(self, where: Any) -> tuple[Correction, ...]:
        query = select(CORRECTIONS).where(where).order_by(CORRECTIONS.c.correction_id)
        rows = await self._unit.connection.execute(query)
        return tuple(
            _CONTENT.validate_json(self._unit.keys.open(row.content, bound=_bound(row.correction_id))) for row in rows
        )


def _bound(correction_id: str) -> str:
    return f"corrections.content:{correction_id}"
