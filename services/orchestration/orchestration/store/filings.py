"""Filings: drafts, submission, and the step that every act on a case writes."""

import json
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

import orjson
from common.auth import Actor
from common.transaction import Transaction
from pydantic import TypeAdapter
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as upsert
from worktime import Calendar

from orchestration.domain.app_call import ENDED_OTHERWISE
from orchestration.domain.case import Case
from orchestration.domain.filing import UNSUBMITTED, Content, Dossier, Filing, Happened, Step
from orchestration.domain.plan import Plan
from orchestration.domain.refusals import CaseNotFound, FilingNotFound
from orchestration.domain.timers import timers_of
from orchestration.events import filing_fact
from orchestration.models import SerialRow
from orchestration.store.agents import in_sight
from orchestration.store.app_calls import write_app_call, write_app_end
from orchestration.store.attachments import uploaded_column, uploaded_of
from orchestration.store.locking import lock_by_case
from orchestration.store.rows import (
    ABSENCE,
    CASE_COLUMNS,
    CASES,
    FILING_COLUMNS,
    FILINGS,
    MATERIALS,
    NEW_CASE,
    PAUSE,
    PLAN,
    SUPPLEMENT,
    case_of,
    case_values,
    clocks_json,
    content_of,
    filing_of,
    seal_json,
    sealed_content,
)
from orchestration.store.watches import alarms_of

_serials: Any = SerialRow.__table__  # type: ignore[attr-defined]
_DOSSIER = [*FILING_COLUMNS, FILINGS.c.matter_name, FILINGS.c.content, FILINGS.c.plan]

_INSERT_DRAFT = """
insert into filings (id, matter_code, matter_version, matter_name, region_code, applicant_id, agent_id, state, revision,
                     version, open_cases, content, created_at)
values (cast(:id as uuid), :matter_code, :matter_version, :matter_name, :region_code, :applicant_id, :agent_id,
        'draft', 1, 1, 0, :content, :created_at)
returning 1"""
_UPDATE_DRAFT = """
update filings set content = :content, revision = :revision
where id = cast(:id as uuid) and state in ('draft', 'proposed') and revision = :revision - 1
returning 1"""
_DELETE_DRAFT = """
delete from filings where id = cast(:id as uuid) and state = 'draft'
returning 1"""
_UPDATE_FILING = """
update filings set state = :state, no = :no, agent_id = :agent_id, version = :version, open_cases = :open_cases,
                   submitted_at = :submitted_at, closed_at = :closed_at, plan = coalesce(cast(:plan as jsonb), plan)
where id = cast(:id as uuid) and version = :version - 1
returning 1"""
_INSERT_CASES = f"""
insert into cases ({", ".join(NEW_CASE)})
select {", ".join(NEW_CASE)} from jsonb_populate_recordset(null::cases, cast(:made as jsonb))
returning 1"""  # noqa: S608 - names of columns
_UPDATE_CASES = """
update cases as c
set status = n.status, open_dependencies = n.open_dependencies, version = n.version, ready_at = n.ready_at,
    accepted_at = n.accepted_at, decided_at = n.decided_at, promised_due_at = n.promised_due_at,
    statutory_due_at = n.statutory_due_at, clocks = cast(n.clocks as jsonb),
    due = coalesce(cast(n.due as jsonb), c.due), reason_code = n.reason_code, licence_id = n.licence_id,
    competent_organ = n.competent_organ, supplement = cast(n.supplement as jsonb),
    absence = cast(n.absence as jsonb), pause = cast(n.pause as jsonb),
    materials = coalesce(cast(n.materials as jsonb), c.materials),
    result = coalesce(n.result, c.result), explanation = coalesce(n.explanation, c.explanation)
from unnest(cast(:ids as uuid[]), cast(:statuses as text[]), cast(:open_dependencies as int[]),
            cast(:versions as int[]), cast(:ready_at as timestamptz[]), cast(:accepted_at as timestamptz[]),
            cast(:decided_at as timestamptz[]), cast(:promised_due_at as timestamptz[]),
            cast(:statutory_due_at as timestamptz[]), cast(:clocks as text[]), cast(:due as text[]),
            cast(:reason_codes as text[]), cast(:licence_ids as text[]), cast(:competent_organs as text[]),
            cast(:supplements as text[]), cast(:absences as text[]), cast(:pauses as text[]),
            cast(:materials as text[]),
            cast(:results as bytea[]), cast(:explanations as bytea[]))
     as n(id, status, open_dependencies, version, ready_at, accepted_at, decided_at, promised_due_at,
          statutory_due_at, clocks, due, reason_code, licence_id, competent_organ, supplement, absence, pause,
          materials, result, explanation)
where c.id = n.id
returning 1"""

_DROP_TIMERS = """
delete from timers as t
where t.case_id = any(cast(:changed as uuid[])) and t.fired_at is null
  and not exists (select from unnest(cast(:case_ids as uuid[]), cast(:kinds as text[])) as n(case_id, kind)
                  where n.case_id = t.case_id and n.kind = t.kind)
returning 1"""
_SET_TIMERS = """
insert into timers (case_id, kind, filing_id, due_at)
select n.case_id, n.kind, cast(:filing_id as uuid), n.due_at
from unnest(cast(:case_ids as uuid[]), cast(:kinds as text[]), cast(:due_at as timestamptz[]))
     as n(case_id, kind, due_at)
on conflict (case_id, kind) do update set due_at = excluded.due_at, fired_at = null
where timers.due_at <> excluded.due_at
returning 1"""


class Filings:
    """The filings that the actor may see."""

    def __init__(self, unit: Transaction, calendar: Calendar) -> None:
        self._unit = unit
        self._calendar = calendar

    async def add(self, filing: Filing, *, matter_name: str, content: Content) -> None:
        self._unit.write(
            "insert_draft",
            _INSERT_DRAFT,
            rows=1,
            id=filing.id,
            matter_code=filing.matter_code,
            matter_version=filing.matter_version,
            matter_name=matter_name,
            region_code=filing.region_code,
            applicant_id=filing.applicant_id,
            agent_id=filing.agent_id,
            content=sealed_content(self._unit.keys, content, filing.id),
            created_at=filing.created_at,
        )

    async def revise(self, filing: Filing, content: Content) -> None:
        sealed = sealed_content(self._unit.keys, content, filing.id)
        self._unit.write("update_draft", _UPDATE_DRAFT, rows=1, id=filing.id, content=sealed, revision=filing.revision)

    async def discard(self, filing_id: str) -> None:
        """Delete a draft; what was uploaded for it goes with it."""
        self._unit.write("delete_draft", _DELETE_DRAFT, rows=1, id=filing_id)

    async def supplement(self, filing: Filing, content: Content) -> None:
        """Write what the applicant supplemented into the form of a submitted filing."""
        await self._unit.connection.execute(
            FILINGS.update()
            .where(FILINGS.c.id == filing.id)
            .values(content=sealed_content(self._unit.keys, content, filing.id), revision=filing.revision + 1)
        )

    async def read(self, filing_id: str, *, lock: bool = False) -> Dossier:
        """The applicant's own filing, with its cases."""
        query = select(*_DOSSIER, uploaded_column(filing_id)).where(FILINGS.c.id == filing_id, self._own)
        row = (await self._unit.connection.execute(query.with_for_update() if lock else query)).one_or_none()
        if row is None:
            raise FilingNotFound(filing_id=filing_id)
        cases = await self._unit.connection.execute(
            select(*CASE_COLUMNS).where(CASES.c.filing_id == filing_id).order_by(CASES.c.no)
        )
        dossier = self._dossier(row, tuple(case_of(case) for case in cases))
        return replace(dossier, uploaded=uploaded_of(row.uploaded))

    async def lock_by_case(self, case_id: str, actor: Actor) -> Dossier:
        """The filing of a case in the actor's sight, locked with all its cases: the first statement of every act."""
        rows = await lock_by_case(self._unit.connection, case_id, actor, self._unit.at)
        if not rows:
            raise CaseNotFound(case_id=case_id)
        head = next(row for row in rows if row.content is not None)
        dossier = self._dossier(head, tuple(case_of(row) for row in rows))
        return replace(dossier, alarms=alarms_of(head.alarms))

    async def page(self, *, after: UUID | None, size: int) -> list[Dossier]:
        """The caller's own filings, newest first and one more than asked; their cases are left out."""
        query = select(*_DOSSIER).where(self._own)
        if after is not None:
            query = query.where(FILINGS.c.id < str(after))
        rows = await self._unit.connection.execute(query.order_by(FILINGS.c.id.desc()).limit(size + 1))
        return [self._dossier(row, ()) for row in rows]

    async def remember_plan(self, filing_id: str, plan: Plan) -> None:
        """Keep the plan that is shown; the one that was submitted stays as it is."""
        await self._unit.connection.execute(
            FILINGS.update()
            .where(FILINGS.c.id == filing_id, FILINGS.c.state.in_(sorted(UNSUBMITTED)))
            .values(plan=PLAN.dump_python(plan, mode="json"))
        )

    async def serials(self, region_code: str, day: date, channel: str, count: int) -> range:
        """So many serials of the region's day, in a row."""
        given = upsert(_serials).values(region_code=region_code, day=day, channel=channel, last=count)
        rows = await self._unit.connection.execute(
            given.on_conflict_do_update(
                index_elements=["region_code", "day", "channel"], set_={"last": _serials.c.last + count}
            ).returning(_serials.c.last)
        )
        last = rows.scalar_one()
        return range(last - count + 1, last + 1)

    async def add_cases(self, step: Step, plan: Plan) -> None:
        """The cases of a submitted filing, as they came into being, and the plan that it was submitted with."""
        made = [case_values(case, step.filing, self._unit.at) for case in step.changed]
        self._unit.write("insert_cases", _INSERT_CASES, rows=len(made), made=orjson.dumps(made).decode())
        self._write_filing(step, plan)
        self._write_timers(step)

    async def save(
        self, step: Step, *, case_id: str = "", result: dict[str, Any] | None = None, explanation: str | None = None
    ) -> None:
        """What an act changed, in the one statement that the transaction ends with; its facts go out with it."""
        if not step.changed:
            self._emit(step)
            return
        keys = self._unit.keys
        results = {case_id: seal_json(keys, result, bound=f"cases.result:{case_id}")} if result is not None else {}
        explanations = {}
        if explanation is not None:
            explanations[case_id] = keys.seal(explanation.encode(), bound=f"cases.explanation:{case_id}")
        changed = sorted(step.changed, key=lambda case: case.id)
        self._unit.write(
            "update_cases",
            _UPDATE_CASES,
            rows=len(changed),
            ids=[case.id for case in changed],
            statuses=[case.status.value for case in changed],
            open_dependencies=[case.open_dependencies for case in changed],
            versions=[case.version for case in changed],
            ready_at=[case.ready_at for case in changed],
            accepted_at=[case.accepted_at for case in changed],
            decided_at=[case.decided_at for case in changed],
            promised_due_at=[case.promised_due_at for case in changed],
            statutory_due_at=[case.statutory_due_at for case in changed],
            clocks=[json.dumps(clocks_json(case.clocks)) for case in changed],
            due=[json.dumps(dict(case.due)) if case.due else None for case in changed],
            reason_codes=[case.reason_code for case in changed],
            licence_ids=[case.licence_id for case in changed],
            competent_organs=[case.competent_organ for case in changed],
            supplements=[_json(SUPPLEMENT, case.supplement) for case in changed],
            absences=[_json(ABSENCE, case.absence) for case in changed],
            pauses=[_json(PAUSE, case.pause) for case in changed],
            # Read by few acts only: what was not read stays as it is.
            materials=[_json(MATERIALS, case.materials or None) for case in changed],
            results=[results.get(case.id) for case in changed],
            explanations=[explanations.get(case.id) for case in changed],
        )
        self._write_filing(step)
        self._write_timers(step)

    @property
    def _own(self) -> Any:
        return in_sight(self._unit.actor, owner=FILINGS.c.applicant_id, matter=FILINGS.c.matter_code)

    def rest(self, step: Step) -> None:
        """Put the filing into the archive; its cases stay as they are."""
        self._write_filing(step)

    def _write_filing(self, step: Step, plan: Plan | None = None) -> None:
        filing = step.filing
        self._unit.write(
            "update_filing",
            _UPDATE_FILING,
            rows=1,
            id=filing.id,
            state=filing.state.value,
            no=filing.no,
            agent_id=filing.agent_id,
            version=filing.version,
            open_cases=filing.open_cases,
            submitted_at=filing.submitted_at,
            closed_at=filing.closed_at,
            # Written once, by the submission.
            plan=_json(PLAN, plan),
        )
        self._emit(step)

    def _write_timers(self, step: Step) -> None:
        """The changed cases have the timers that follow from what they are now, and no others."""
        wanted = [
            (case.id, kind.value, due_at)
            for case in sorted(step.changed, key=lambda case: case.id)
            for kind, due_at in timers_of(case, self._calendar).items()
        ]
        case_ids, kinds, due_at = ([row[place] for row in wanted] for place in range(3))
        self._unit.write(
            "drop_timers",
            _DROP_TIMERS,
            rows=None,
            changed=[case.id for case in step.changed],
            case_ids=case_ids,
            kinds=kinds,
        )
        if wanted:
            self._unit.write(
                "set_timers",
                _SET_TIMERS,
                rows=None,
                filing_id=step.filing.id,
                case_ids=case_ids,
                kinds=kinds,
                due_at=due_at,
            )

    def _emit(self, step: Step) -> None:
        for fact in step.facts:
            self._unit.emit(filing_fact(step.filing, fact, self._unit.at))
            if fact.happened is Happened.CASE_READY and fact.case is not None and fact.case.app is not None:
                write_app_call(self._unit, step.filing.id, fact.case)
            if fact.happened in ENDED_OTHERWISE and fact.case is not None and fact.case.app is not None:
                write_app_end(self._unit, fact.case)

    def _dossier(self, row: Any, cases: tuple[Case, ...]) -> Dossier:
        filing = replace(filing_of(row), cases=cases)
        return Dossier(
            filing=filing,
            matter_name=row.matter_name,
            content=content_of(self._unit.keys, row.content, filing.id),
            plan=PLAN.validate_python(row.plan) if row.plan else None,
        )


def _json(adapter: TypeAdapter[Any], value: Any) -> str | None:
    return None if value is None else adapter.dump_json(value).decode()
