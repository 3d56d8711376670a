"""What operators and applicants look at: filings that nothing moves, incidents, and what happened when."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from common.transaction import Transaction
from sqlalchemy import ColumnElement, Text, cast, column, literal, select, table, text, tuple_, union_all

from orchestration.domain.call import CallState
from orchestration.models import CallRow
from orchestration.store.rows import CASES

_calls: Any = CallRow.__table__  # type: ignore[attr-defined]
_journal: Any = table("journal", *map(column, ("id", "at", "act", "subject_kind", "subject_id", "org_path", "details")))

# The liveness query: it must find nothing. A filing is open, and nothing is there that will ever move it.
_MOTIONLESS = text("""
select f.id, coalesce(f.no, '') as no, coalesce(f.submitted_at, f.created_at) as submitted_at
from filings as f
where f.state in ('submitted', 'proposed')
  and (f.state = 'submitted'
       or not exists (select from proposals as p where p.filing_id = f.id and p.ended_at is null))
  and not exists (select from cases as c where c.filing_id = f.id
                    and c.status in ('ready', 'supplement_requested', 'accepted', 'special_procedure'))
  and not exists (select from calls as k where k.filing_id = f.id and k.kind <> 'app_end'
                    and k.state in ('pending', 'incident'))
  and not exists (select from outbox as o
                  where o.published_at is null
                    and right(o.subject, 36) in (select cast(f.id as text)
                                                 union all
                                                 select cast(c.id as text) from cases as c where c.filing_id = f.id))
order by f.id
limit 100""")


@dataclass(frozen=True, slots=True)
class Motionless:
    """An open filing that nothing will move."""

    filing_id: str
    filing_no: str
    submitted_at: datetime


@dataclass(frozen=True, slots=True)
class Incident:
    """A call that was given up and waits for people."""

    call_id: str
    case_id: str
    filing_id: str
    kind: str
    app: str | None
    attempts: int
    error: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that happened to a filing."""

    id: str
    at: datetime
    act: str
    case_id: str | None
    org_path: str | None
    details: Mapping[str, Any]


def about(journal: Any, filing_id: str) -> ColumnElement[bool]:
    """The acts on a filing and its cases: by the ids of both, or the whole journal would be read for them."""
    subjects = union_all(
        select(literal("filing"), literal(filing_id)),
        select(literal("case"), cast(CASES.c.id, Text)).where(CASES.c.filing_id == filing_id),
    )
    return tuple_(journal.c.subject_kind, journal.c.subject_id).in_(subjects)


class Operations:
    """Questions over everything; the doors ask for the operator's permission, or for the applicant's own filing."""

    def __init__(self, unit: Transaction) -> None:
        self._unit = unit

    async def motionless(self) -> list[Motionless]:
        rows = await self._unit.connection.execute(_MOTIONLESS)
        return [Motionless(str(row.id), row.no, row.submitted_at) for row in rows]

    async def incidents(self) -> list[Incident]:
        rows = await self._unit.connection.execute(
            select(
                _calls.c.id,
                _calls.c.case_id,
                _calls.c.filing_id,
                _calls.c.kind,
                _calls.c.app,
                _calls.c.attempts,
                _calls.c.error,
                _calls.c.created_at,
            )
            .where(_calls.c.state == CallState.INCIDENT.value)
            .order_by(_calls.c.created_at)
            .limit(100)
        )
        return [Incident(*row) for row in rows]

    async def timeline(
        self, filing_id: str, *, acts: frozenset[str], after: tuple[datetime, UUID] | None, size: int
    ) -> list[Entry]:
        """The acts on a filing and its cases, oldest first and one more than asked."""
        query = select(_journal).where(_journal.c.act.in_(acts), about(_journal, filing_id))
        if after is not None:
            query = query.where(tuple_(_journal.c.at, _journal.c.id) > tuple_(*after))
        rows = await self._unit.connection.execute(query.order_by(_journal.c.at, _journal.c.id).limit(size + 1))
        return [
            Entry(
                id=str(row.id),
                at=row.at,
                act=row.act,
                case_id=row.subject_id if row.subject_kind == "case" else None,
                org_path=row.org_path,
                details=row.details,
            )
            for row in rows
        ]
