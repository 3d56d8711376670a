"""Calls to apps, what apps told, and the nonces that they used."""

from datetime import datetime
from typing import Any

from common.transaction import Transaction
from sqlalchemy import delete, exists, not_, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from orchestration.domain.app_call import Answered, AppCall, Next, Phase, Told
from orchestration.domain.call import LEASE, CallState, Kind
from orchestration.domain.case import Case, Status
from orchestration.models import CallbackRow, CallRow, NonceRow
from orchestration.store.rows import CASES

_calls: Any = CallRow.__table__  # type: ignore[attr-defined]
_callbacks: Any = CallbackRow.__table__  # type: ignore[attr-defined]
_nonces: Any = NonceRow.__table__  # type: ignore[attr-defined]
_NOTHING_SEALED = b""
_COLUMNS = [
    _calls.c.id,
    _calls.c.case_id,
    _calls.c.filing_id,
    _calls.c.app,
    _calls.c.phase,
    _calls.c.attempt,
    _calls.c.attempts,
    _calls.c.state,
]
_INSERT = """
insert into calls (id, case_id, filing_id, kind, state, payload, attempts, next_try_at, created_at, app, phase, attempt)
values (cast(:id as uuid), cast(:case_id as uuid), cast(:filing_id as uuid), :kind, 'pending', :payload, 0, :at, :at,
        :app, :phase, 1)
returning 1"""


def write_app_call(unit: Transaction, filing_id: str, case: Case) -> None:
    """Have a case that became ready given to its app; what is given is read when it is."""
    unit.write(
        "insert_app_call",
        _INSERT,
        rows=1,
        id=str(unit.ids()),
        case_id=case.id,
        filing_id=filing_id,
        kind=Kind.APP_CASE.value,
        payload=_NOTHING_SEALED,
        at=unit.at,
        app=case.app,
        phase=Phase.GIVE.value,
    )


_CLOSE_GIVEN = """
update calls set state = 'done', done_at = :at, error = null
where case_id = cast(:case_id as uuid) and kind = 'app_case' and state <> 'done'
returning 1"""
_INSERT_END = """
insert into calls (id, case_id, filing_id, kind, state, payload, attempts, next_try_at, created_at, app, phase, attempt)
select cast(:id as uuid), k.case_id, k.filing_id, :kind, 'pending', k.payload, 0, cast(:at as timestamptz),
       cast(:at as timestamptz), k.app, :phase, k.attempt
from calls as k
where k.case_id = cast(:case_id as uuid) and k.kind = 'app_case'
returning 1"""


def write_app_end(unit: Transaction, case: Case) -> None:
    """Have an app that was given a case told that it ended; one that never was is told nothing."""
    unit.write("close_app_call", _CLOSE_GIVEN, rows=None, case_id=case.id, at=unit.at)
    unit.write(
        "insert_app_end",
        _INSERT_END,
        rows=None,
        id=str(unit.ids()),
        case_id=case.id,
        kind=Kind.APP_END.value,
        phase=Phase.TELL.value,
        at=unit.at,
    )


class AppCalls:
    """The calls to apps, and theirs to us."""

    def __init__(self, unit: Transaction) -> None:
        self._unit = unit

    async def due_apps(self) -> list[str]:
        """The apps that a call to is due."""
        rows = await self._unit.connection.execute(select(_calls.c.app).where(*self._due()).distinct())
        return [row.app for row in rows]

    async def take(self, app: str, most: int) -> list[AppCall]:
        """Lease calls to an app that are due; a taker that dies leaves them to the next when its lease has ended."""
        due = (
            select(_calls.c.id)
            .where(_calls.c.app == app, *self._due())
            .order_by(_calls.c.next_try_at)
            .limit(most)
            .with_for_update(skip_locked=True)
            .cte("due")
        )
        rows = await self._unit.connection.execute(
            update(_calls)
            .where(_calls.c.id.in_(select(due.c.id)))
            .values(lease_until=self._unit.at + LEASE, attempts=_calls.c.attempts + 1)
            .returning(*_COLUMNS)
        )
        return [_call(row) for row in rows]

    async def of_case(self, case_id: str) -> AppCall | None:
        """The call that gives a case to its app."""
        found = select(*_COLUMNS).where(_calls.c.case_id == case_id, _calls.c.kind == Kind.APP_CASE.value)
        row = (await self._unit.connection.execute(found)).one_or_none()
        return _call(row) if row else None

    async def incident(self, call_id: str) -> tuple[Kind, AppCall | None] | None:
        """What waits for people, locked; of another kind than a case of an app, only that it is there."""
        found = (
            select(*_COLUMNS, _calls.c.kind)
            .where(_calls.c.id == call_id, _calls.c.state == CallState.INCIDENT.value)
            .with_for_update()
        )
        row = (await self._unit.connection.execute(found)).one_or_none()
        if row is None:
            return None
        kind = Kind(row.kind)
        return kind, _call(row) if kind is Kind.APP_CASE else None

    async def go_on(self, call: AppCall, following: Next, *, error: str) -> None:
        """Put down how a call goes on; whoever took it after us, or closed it meanwhile, is not disturbed."""
        mine = (_calls.c.id == call.id, _calls.c.attempts == call.tries, _calls.c.attempt == call.attempt)
        # What was closed meanwhile is under way no more: what waited for that may go out.
        await self._unit.connection.execute(
            update(_calls).where(*mine, _calls.c.state == CallState.DONE.value).values(lease_until=None)
        )
        await self._unit.connection.execute(
            update(_calls)
            .where(*mine, _calls.c.state == CallState.PENDING.value)
            .values(
                state=following.state.value,
                phase=following.phase.value,
                attempts=following.tries,
                next_try_at=following.at,
                lease_until=None,
                error=error or None,
                done_at=self._unit.at if following.state is CallState.DONE else None,
            )
        )

    async def close(self, case_id: str) -> None:
        """Nothing more is to be called for the case."""
        await self._unit.connection.execute(
            update(_calls)
            .where(_calls.c.case_id == case_id, _calls.c.kind == Kind.APP_CASE.value)
            .values(state=CallState.DONE.value, done_at=self._unit.at, lease_until=None, error=None)
        )

    async def retry(self, call_id: str, *, new_attempt: bool) -> None:
        """Try a call again from the start; a case is given to its app in a new attempt."""
        again = {"phase": Phase.GIVE.value, "attempt": _calls.c.attempt + 1} if new_attempt else {}
        await self._unit.connection.execute(
            update(_calls)
            .where(_calls.c.id == call_id)
            .values(state=CallState.PENDING.value, attempts=0, next_try_at=self._unit.at, lease_until=None, **again)
        )

    async def take_from_app(self, case_id: str) -> None:
        """From now on the case is its officers'."""
        await self._unit.connection.execute(update(CASES).where(CASES.c.id == case_id).values(app=None))

    async def answered(self, told: Told, digest: bytes) -> Answered | None:
        """What the same word was answered before."""
        found = select(_callbacks).where(_callbacks.c.case_id == told.case_id, _callbacks.c.digest == digest)
        row = (await self._unit.connection.execute(found)).one_or_none()
        if row is None:
            return None
        return Answered(told.case_id, row.attempt, applied=row.applied, reason=row.reason, status=Status(row.status))

    async def remember(self, app: str, told: Told, digest: bytes, answered: Answered) -> None:
        """Keep what an app told and was answered."""
        row = {
            "case_id": told.case_id,
            "digest": digest,
            "app": app,
            "attempt": told.attempt,
            "outcome": told.outcome.value,
            "applied": answered.applied,
            "reason": answered.reason,
            "status": answered.status.value,
            "at": self._unit.at,
        }
        await self._unit.connection.execute(upsert(_callbacks).values(**row).on_conflict_do_nothing())

    async def use_nonce(self, app: str, nonce: str) -> bool:
        """Use a nonce up; tells whether it was unused."""
        used = upsert(_nonces).values(app=app, nonce=nonce, at=self._unit.at).on_conflict_do_nothing()
        rows = await self._unit.connection.execute(used.returning(_nonces.c.nonce))
        return rows.one_or_none() is not None

    async def forget_nonces(self, before: datetime) -> None:
        """Drop nonces whose signatures nobody would believe any more."""
        await self._unit.connection.execute(delete(_nonces).where(_nonces.c.at < before))

    def _due(self) -> tuple[Any, ...]:
        at, given = self._unit.at, _calls.alias("given")
        is_given = exists().where(
            given.c.case_id == _calls.c.case_id, given.c.kind == Kind.APP_CASE.value, given.c.lease_until > at
        )
        return (
            or_(_calls.c.kind != Kind.APP_END.value, not_(is_given)),
            _calls.c.app.is_not(None),
            _calls.c.state == CallState.PENDING.value,
            _calls.c.next_try_at <= at,
            or_(_calls.c.lease_until.is_(None), _calls.c.lease_until <= at),
        )


def _call(row: Any) -> AppCall:
    return AppCall(
        id=row.id,
        case_id=row.case_id,
        filing_id=row.filing_id,
        app=row.app,
        phase=Phase(row.phase),
        attempt=row.attempt,
        tries=row.attempts,
        state=CallState(row.state),
    )
