"""Watches over licences, and the changes of licences that others told us."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from common.transaction import Transaction
from sqlalchemy import case as when
from sqlalchemy import exists, func, or_, select, text
from sqlalchemy.dialects.postgresql import JSONB, aggregate_order_by
from sqlalchemy.sql.elements import ColumnElement

from orchestration.domain.case import Case
from orchestration.domain.plan import Found, Material
from orchestration.domain.watch import Acknowledgement, Alarm, Change, Watch
from orchestration.models import LicenceChangeRow, WatchRow
from orchestration.store.rows import CASE_COLUMNS, CASES, MATERIALS, case_of

WATCHES: Any = WatchRow.__table__  # type: ignore[attr-defined]
CHANGES: Any = LicenceChangeRow.__table__  # type: ignore[attr-defined]

_KEPT = timedelta(days=1)

_ADD = """
insert into evidence_watches (case_id, requirement, licence_id, version, valid_until, finding)
select n.case_id, n.requirement, n.licence_id, n.version, n.valid_until, 'verified'
from unnest(cast(:case_ids as uuid[]), cast(:requirements as text[]), cast(:licence_ids as text[]),
            cast(:versions as int[]), cast(:valid_until as timestamptz[]))
     as n(case_id, requirement, licence_id, version, valid_until)
returning 1"""
_REVERIFY = """
update evidence_watches as w
set licence_id = n.licence_id, version = n.version, valid_until = n.valid_until, finding = n.finding,
    reverified_at = :at
from unnest(cast(:requirements as text[]), cast(:licence_ids as text[]), cast(:versions as int[]),
            cast(:valid_until as timestamptz[]), cast(:findings as text[]))
     as n(requirement, licence_id, version, valid_until, finding)
where w.case_id = cast(:case_id as uuid) and w.requirement = n.requirement
returning 1"""
_MATERIALS = """
update cases set materials = cast(:materials as jsonb)
where id = cast(:case_id as uuid)
returning 1"""
_ACKNOWLEDGE = """
update evidence_watches set acknowledged_at = :at, acknowledgement = :reason
where case_id = cast(:case_id as uuid) and requirement = any(cast(:requirements as text[]))
returning 1"""
# What the decision was loaded with may have changed while it waited for the lock: nothing new may alarm by now.
_GUARD = """
select 1
where not exists (
    select from evidence_watches as w left join licence_changes as l on l.licence_id = w.licence_id
    where w.case_id = cast(:case_id as uuid) and (l.voided or l.version > w.version)
      and w.requirement <> all(cast(:known as text[])))"""
_NOTE = text("""
insert into licence_changes as l (licence_id, version, voided, changed_at)
values (:licence_id, :version, :voided, :at)
on conflict (licence_id) do update
set version = greatest(l.version, excluded.version), voided = l.voided or excluded.voided,
    changed_at = excluded.changed_at
where l.version < excluded.version or (excluded.voided and not l.voided)
returning 1""")
_FORGET = text("""
delete from licence_changes as l
where l.changed_at < :before
  and not exists (select from evidence_watches as w join cases as c on c.id = w.case_id
                  where w.licence_id = l.licence_id and c.decided_at is null)""")


@dataclass(frozen=True, slots=True)
class Watched:
    """A case whose evidence changed, with what its applicant and department are told."""

    case: Case
    filing_id: str
    applicant_id: str
    requirement: str


def _alarming(at: Any) -> ColumnElement[bool]:
    return or_(
        CHANGES.c.voided,
        CHANGES.c.version > WATCHES.c.version,
        WATCHES.c.valid_until <= at,
        WATCHES.c.finding != Found.VERIFIED.value,
    )


def alarms_column(case_id: Any, at: Any) -> Any:
    """The alarms of a case, as one column of the statement that loads it; expiry needs no news, only the time."""
    change = when(
        (CHANGES.c.voided, Change.VOIDED.value),
        (CHANGES.c.version > WATCHES.c.version, Change.RENEWED.value),
        (WATCHES.c.finding != Found.VERIFIED.value, Change.UNVERIFIED.value),
        else_=Change.EXPIRED.value,
    )
    alarm = func.jsonb_build_object(
        "requirement",
        WATCHES.c.requirement,
        "change",
        change,
        "changed_at",
        func.coalesce(CHANGES.c.changed_at, WATCHES.c.valid_until),
    )
    return (
        select(func.jsonb_agg(aggregate_order_by(alarm, WATCHES.c.requirement), type_=JSONB))
        .select_from(WATCHES.outerjoin(CHANGES, CHANGES.c.licence_id == WATCHES.c.licence_id))
        .where(WATCHES.c.case_id == case_id, _alarming(at))
        .scalar_subquery()
        .label("alarms")
    )


def alarmed_column(at: datetime) -> Any:
    """Whether an undecided case of a list has alarms."""
    alarmed = exists().where(WATCHES.c.case_id == CASES.c.id, _alarming(at))
    alarmed = alarmed.select_from(WATCHES.outerjoin(CHANGES, CHANGES.c.licence_id == WATCHES.c.licence_id))
    return (CASES.c.decided_at.is_(None) & alarmed).label("evidence_changed")


def alarms_of(stored: list[dict[str, Any]] | None) -> tuple[Alarm, ...]:
    return tuple(
        Alarm(
            requirement=each["requirement"],
            change=Change(each["change"]),
            changed_at=datetime.fromisoformat(each["changed_at"]) if each["changed_at"] else None,
        )
        for each in stored or ()
    )


class Watches:
    """Which materials stand on which licences, and what became of these."""

    def __init__(self, unit: Transaction) -> None:
        self._unit = unit

    def add(self, watches: Sequence[Watch]) -> None:
        if not watches:
            return
        self._unit.write(
            "add_watches",
            _ADD,
            rows=len(watches),
            case_ids=[watch.case_id for watch in watches],
            requirements=[watch.requirement for watch in watches],
            licence_ids=[watch.licence_id for watch in watches],
            versions=[watch.version for watch in watches],
            valid_until=[watch.valid_until for watch in watches],
        )

    async def of_case(self, case_id: str) -> list[Watch]:
        rows = await self._unit.connection.execute(
            select(*(WATCHES.c[name] for name in Watch.__slots__)).where(WATCHES.c.case_id == case_id)
        )
        return [Watch(**{**row._mapping, "finding": Found(row.finding)}) for row in rows]  # noqa: SLF001

    async def alarms(self, case_id: str) -> tuple[Alarm, ...]:
        row = await self._unit.connection.execute(select(alarms_column(case_id, self._unit.at)))
        return alarms_of(row.scalar_one())

    def reverify(self, case_id: str, watches: Sequence[Watch], materials: tuple[Material, ...]) -> None:
        """Keep what a second verification found."""
        self._unit.write(
            "reverify_watches",
            _REVERIFY,
            rows=len(watches),
            case_id=case_id,
            at=self._unit.at,
            requirements=[watch.requirement for watch in watches],
            licence_ids=[watch.licence_id for watch in watches],
            versions=[watch.version for watch in watches],
            valid_until=[watch.valid_until for watch in watches],
            findings=[watch.finding.value for watch in watches],
        )
        written = json.dumps(MATERIALS.dump_python(materials, mode="json"))
        self._unit.write("update_materials", _MATERIALS, rows=1, case_id=case_id, materials=written)

    def settle(self, case_id: str, acknowledged: Acknowledgement | None) -> None:
        """With the approval goes what the officer acknowledged, and that nothing else changed meanwhile."""
        known = list(acknowledged.requirements) if acknowledged else []
        self._unit.write("guard_evidence", _GUARD, rows=1, case_id=case_id, known=known)
        if acknowledged is None:
            return
        self._unit.write(
            "acknowledge_evidence",
            _ACKNOWLEDGE,
            rows=len(known),
            case_id=case_id,
            requirements=known,
            at=self._unit.at,
            reason=self._unit.keys.seal(
                acknowledged.reason.encode(), bound=f"evidence_watches.acknowledgement:{case_id}"
            ),
        )

    async def note(self, licence_id: str, version: int, *, voided: bool, at: datetime) -> bool:
        """Keep a change of a licence, whether anything stands on it or not yet; tells whether it is news."""
        noted = await self._unit.connection.execute(
            _NOTE, {"licence_id": licence_id, "version": version, "voided": voided, "at": at}
        )
        return noted.scalar_one_or_none() is not None

    async def watched(self, licence_id: str, version: int, *, voided: bool) -> list[Watched]:
        """The undecided cases that stand on a licence, locked: they are decided before, or after they are marked."""
        stands = WATCHES.c.licence_id == licence_id
        if not voided:
            stands &= WATCHES.c.version < version
        rows = await self._unit.connection.execute(
            select(*CASE_COLUMNS, CASES.c.filing_id, CASES.c.applicant_id, WATCHES.c.requirement)
            .join(WATCHES, WATCHES.c.case_id == CASES.c.id)
            .where(stands, CASES.c.decided_at.is_(None))
            .order_by(CASES.c.id)
            .with_for_update(of=CASES)
        )
        return [Watched(case_of(row), row.filing_id, row.applicant_id, row.requirement) for row in rows]

    async def forget(self) -> None:
        """Drop changes that no undecided case stands on; a submission under way has a day to come in."""
        await self._unit.connection.execute(_FORGET, {"before": self._unit.at - _KEPT})
