"""Timers that are due: taken with their filings, so that whoever acts on a filing is not disturbed."""

from dataclasses import replace
from typing import Any

from common.transaction import Transaction
from sqlalchemy import select, text

from orchestration.domain.filing import Content, Dossier
from orchestration.domain.timers import TimerKind
from orchestration.store.rows import (
    CASE_COLUMNS,
    CASES,
    FILING_COLUMNS,
    FILINGS,
    PLAN,
    case_of,
    filing_of,
)

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

# What a timer does, it does without a look at what the applicant wrote.
_UNREAD = Content(form={}, answers={})


class Timers:
    """The timers of all cases."""

    def __init__(self, unit: Transaction) -> None:
        self._unit = unit

    async def take(self, most: int) -> list[tuple[str, TimerKind, Dossier]]:
        """Mark timers that are due as fired, and give each with its filing, which stays locked."""
        rows = (await self._unit.connection.execute(_TAKE, {"at": self._unit.at, "most": most})).all()
        if not rows:
            return []
        dossiers = await self._dossiers(sorted({str(row.filing_id) for row in rows}))
        return sorted(
            ((str(row.case_id), TimerKind(row.kind), dossiers[str(row.filing_id)]) for row in rows),
            key=lambda due: (due[2].filing.id, due[0], due[1]),
        )

    async def _dossiers(self, ids: list[str]) -> dict[str, Dossier]:
        rows = await self._unit.connection.execute(
            select(*FILING_COLUMNS, FILINGS.c.matter_name, FILINGS.c.plan, *CASE_COLUMNS)
            .join(CASES, CASES.c.filing_id == FILINGS.c.id)
            .where(FILINGS.c.id.in_(ids))
            .order_by(CASES.c.id)
        )
        first: dict[str, Any] = {}
        cases: dict[str, list[Any]] = {}
        for row in rows:
            first.setdefault(row.filing_id, row)
            cases.setdefault(row.filing_id, []).append(case_of(row))
        return {
            key: Dossier(
                filing=replace(filing_of(row), cases=tuple(cases[key])),
                matter_name=row.matter_name,
                content=_UNREAD,
                plan=PLAN.validate_python(row.plan) if row.plan else None,
            )
            for key, row in first.items()
        }
