"""Calls that are due, taken by one worker at a time."""

from datetime import datetime
from typing import Any

from common.transaction import Transaction
from pydantic import TypeAdapter
from sqlalchemy import or_, select, update

from orchestration.domain.call import LEASE, Call, CallState, CorrectLicence, IssueLicence, Kind
from orchestration.models import CallRow

_table: Any = CallRow.__table__  # type: ignore[attr-defined]
_REQUESTS: dict[Kind, TypeAdapter[Any]] = {
    Kind.ISSUE_LICENCE: TypeAdapter(IssueLicence),
    Kind.CORRECT_LICENCE: TypeAdapter(CorrectLicence),
}

_INSERT = """
insert into calls (id, case_id, filing_id, kind, state, payload, attempts, attempt, next_try_at, created_at)
values (cast(:id as uuid), cast(:case_id as uuid), cast(:filing_id as uuid), :kind, 'pending', :payload, 0,
        cast(:serial as int), :at, :at)
returning 1"""
_DONE = """
update calls set state = 'done', done_at = :at, lease_until = null, error = null
where id = cast(:id as uuid) and state <> 'done'
returning 1"""


class Calls:
    """The outgoing calls of cases."""

    def __init__(self, unit: Transaction) -> None:
        self._unit = unit

    async def add(self, filing_id: str, request: IssueLicence | CorrectLicence, *, serial: int = 1) -> None:
        """Have it called for; of several of one kind for a case, each has its serial."""
        call_id = str(self._unit.ids())
        kind = Kind.ISSUE_LICENCE if isinstance(request, IssueLicence) else Kind.CORRECT_LICENCE
        self._unit.write(
            "insert_call",
            _INSERT,
            rows=1,
            id=call_id,
            case_id=request.case_id,
            filing_id=filing_id,
            kind=kind.value,
            serial=serial,
            payload=self._unit.keys.seal(_REQUESTS[kind].dump_json(request), bound=f"calls.payload:{call_id}"),
            at=self._unit.at,
        )

    async def take(self, most: int) -> list[Call]:
        """Lease calls that are due; a taker that dies leaves them to the next when its lease has ended."""
        due = (
            select(_table.c.id)
            .where(
                _table.c.kind.in_(list(_REQUESTS)),
                _table.c.state == CallState.PENDING.value,
                _table.c.next_try_at <= self._unit.at,
                or_(_table.c.lease_until.is_(None), _table.c.lease_until <= self._unit.at),
            )
            .order_by(_table.c.next_try_at)
            .limit(most)
            .with_for_update(skip_locked=True)
            # A subquery could be run once per row, and would then take more than its limit.
            .cte("due")
        )
        rows = await self._unit.connection.execute(
            update(_table)
            .where(_table.c.id.in_(select(due.c.id)))
            .values(lease_until=self._unit.at + LEASE, attempts=_table.c.attempts + 1)
            .returning(
                _table.c.id, _table.c.case_id, _table.c.filing_id, _table.c.attempts, _table.c.payload, _table.c.kind
            )
        )
        return [
            Call(
                id=row.id,
                case_id=row.case_id,
                filing_id=row.filing_id,
                attempts=row.attempts,
                request=_REQUESTS[Kind(row.kind)].validate_json(
                    self._unit.keys.open(row.payload, bound=f"calls.payload:{row.id}")
                ),
            )
            for row in rows
        ]

    async def is_open(self, filing_id: str) -> bool:
        """Whether anything is still to be called for, for a filing."""
        rows = await self._unit.connection.execute(
            select(_table.c.id).where(_table.c.filing_id == filing_id, _table.c.state != CallState.DONE.value).limit(1)
        )
        return rows.first() is not None

    async def is_issuing(self, case_id: str) -> bool:
        """Whether a licence of the case is still to be issued or corrected."""
        rows = await self._unit.connection.execute(
            select(_table.c.id)
            .where(
                _table.c.case_id == case_id, _table.c.kind.in_(list(_REQUESTS)), _table.c.state != CallState.DONE.value
            )
            .limit(1)
        )
        return rows.first() is not None

    async def done(self, call: Call) -> None:
        self._unit.write("close_call", _DONE, rows=1, id=call.id, at=self._unit.at)

    async def failed(self, call: Call, state: CallState, next_try_at: datetime, *, error: str) -> None:
        """Put a call off or give it up; whoever took it after us is not disturbed."""
        await self._unit.connection.execute(
            update(_table)
            .where(
                _table.c.id == call.id,
                _table.c.attempts == call.attempts,
                _table.c.state == CallState.PENDING.value,
            )
            .values(state=state.value, next_try_at=next_try_at, lease_until=None, error=error)
        )

    async def retry_incidents(self) -> int:
        """Set every call that was given up to be tried again."""
        rows = await self._unit.connection.execute(
            update(_table)
            .where(_table.c.state == CallState.INCIDENT.value)
            .values(state=CallState.PENDING.value, attempts=0, next_try_at=self._unit.at)
            .returning(_table.c.id)
        )
        return len(rows.all())
