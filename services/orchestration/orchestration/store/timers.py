"""Timers that are due: taken with their filings, so that whoever acts on a filing is not disturbed."""

from dataclasses import replace
from typing import Any

from common.transaction import Transaction
from sqlalchemy import select, text

from orchestration.domain.filing import Filing
from orchestration.domain.timers import TimerKind
from orchestration.store.rows import CASE_COLUMNS, CASES, FILING_COLUMNS, FILINGS, case_of, filing_of

# The filing comes first, as in every act; what somebody else holds is left for the next round.
_TAKE = text("""
with due as materialized (
    select t.case_id, t.kind, t.filing_id
    from timers as t join filings as f on f.id = t.filing_id
    where t.fired_at is null and t.due_at <= :at
    order by t.due_at, t.case_id
    limit :most
    for update of f, t skip locked)
update timers as t set fired_at = :at
from due
where t.case_id = due.case_id and t.kind = due.kind
returning t.case_id, t.kind, t.filing_id""")


class Timers:
    """The timers of all cases."""

    def __init__(self, unit: Transaction) -> None:
        self._unit = unit

    async def take(self, most: int) -> list[tuple[str, TimerKind, Filing]]:
        """Mark timers that are due as fired, and give each with its filing, which stays locked."""
        rows = (await self._unit.connection.execute(_TAKE, {"at": self._unit.at, "most": most})).all()
        if not rows:
            return []
        filings = await self._filings(sorted({str(row.filing_id) for row in rows}))
        return sorted(
            ((str(row.case_id), TimerKind(row.kind), filings[str(row.filing_id)]) for row in rows),
            key=lambda due: (due[2].id, due[0], due[1]),
        )

    async def _filings(self, ids: list[str]) -> dict[str, Filing]:
        rows = await self._unit.connection.execute(
            select(*FILING_COLUMNS, *CASE_COLUMNS)
            .join(CASES, CASES.c.filing_id == FILINGS.c.id)
            .where(FILINGS.c.id.in_(ids))
            .order_by(CASES.c.id)
        )
        found: dict[str, Filing] = {}
        cases: dict[str, list[Any]] = {}
        for row in rows:
            found.setdefault(row.filing_id, filing_of(row))
            cases.setdefault(row.filing_id, []).append(case_of(row))
        return {key: replace(filing, cases=tuple(cases[key])) for key, filing in found.items()}
