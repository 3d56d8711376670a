"""What the applicant does with a filing."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from common.auth import Actor
from worktime import Calendar

from orchestration.domain import filing as rules
from orchestration.domain import proposal as proposals
from orchestration.domain.agency import applicant_of
from orchestration.domain.definition import Definition
from orchestration.domain.document import receipt_of
from orchestration.domain.filing import Content, Dossier, Filing, State
from orchestration.domain.plan import (
    Department,
    Finding,
    Plan,
    compile_plan,
    difference,
    licence_queries,
)
from orchestration.domain.proof import refuse_unproven
from orchestration.domain.refusals import DraftInvalid, MaterialsMissing, PlanChanged
from orchestration.domain.split import ONLINE, number, split
from orchestration.domain.watch import watches_of
from orchestration.store import Store, Tx
from orchestration.store.agents import agency_of
from orchestration.store.cases import Outcome
from orchestration.store.documents import Issued
from orchestration.store.operations import Entry
from orchestration.usecases.app import Outside
from orchestration.usecases.forms import answer_errors, form_errors
from orchestration.usecases.matters import local_day

_TIMELINE = frozenset(
    f"orchestration.{verb}"
    for verb in (
        "draft_filing",
        "submit_filing",
        "propose_filing",
        "confirm_filing",
        "decline_filing",
        "timer_confirmation",
        "accept_case",
        "approve_case",
        "refuse_case",
        "decline_case",
        "terminate_case",
        "withdraw_case",
        "withdraw_filing",
        "request_supplement",
        "withdraw_request",
        "answer_supplement",
        "tolerate_absence",
        "supply_materials",
        "stop_clock",
        "resume_clock",
        "extend_limit",
        "timer_acceptance",
        "timer_supplement",
        "timer_absence",
        "timer_resumption",
        "timer_promised",
        "timer_statutory",
        "record_result",
        "open_document",
        "deliver_case",
        "correct_case",
        "record_correction",
        "archive_filing",
        "mark_change",
        "reverify_case",
    )
)


async def draft_filing(tx: Tx, *, matter_code: str, region_code: str, content: Content) -> Dossier:
    """Begin a filing (申请草稿) on the matter's version of today."""
    definition, version = await tx.matters.effective(matter_code, local_day(tx.unit.at))
    agency = agency_of(tx.unit.actor)
    applicant_id = applicant_of(definition, tx.unit.actor.id, agency)
    refuse_invalid(definition, content)
    filing = Filing(
        id=str(tx.unit.ids()),
        matter_code=matter_code,
        matter_version=version,
        region_code=region_code,
        applicant_id=applicant_id,
        agent_id=tx.unit.actor.id if agency else None,
        created_at=tx.unit.at,
    )
    await tx.filings.add(filing, matter_name=definition.name, content=content)
    _record(tx, "draft_filing", filing)
    return Dossier(filing, definition.name, content)


async def revise_filing(tx: Tx, filing_id: str, content: Content) -> Dossier:
    """Write a draft anew, or what may be changed of a proposal; a plan that was shown for it no longer holds."""
    dossier = await tx.filings.read(filing_id, lock=True)
    rules.refuse_unless_unsubmitted(dossier.filing)
    definition = await tx.matters.get(dossier.filing.matter_code, dossier.filing.matter_version)
    refuse_invalid(definition, content)
    if dossier.filing.state is State.PROPOSED:
        await _keep_proposal(tx, dossier, definition, content)
    revised = replace(dossier.filing, revision=dossier.filing.revision + 1)
    await tx.filings.revise(revised, content)
    _record(tx, "revise_filing", revised)
    return replace(dossier, filing=revised, content=content)


async def plan_filing(store: Store, outside: Outside, actor: Actor, filing_id: str, calendar: Calendar) -> Plan:
    """Tell what the filing would become (办理方案); of a submitted one, what it became."""
    async with store.begin(actor) as tx:
        dossier = await tx.filings.read(filing_id)
        if dossier.filing.state not in rules.UNSUBMITTED and dossier.plan is not None:
            return dossier.plan
        rules.refuse_unless_unsubmitted(dossier.filing)
        definition = await tx.matters.get(dossier.filing.matter_code, dossier.filing.matter_version)
        at = tx.unit.at
    departments, findings = await _look_up(outside, actor, definition, dossier)
    plan = compile_plan(
        definition,
        dossier.filing.matter_version,
        dossier.draft,
        departments=departments,
        findings=findings,
        calendar=calendar,
        at=at,
    )
    async with store.begin(actor) as tx:
        await tx.filings.remember_plan(filing_id, plan)
        _record(tx, "plan_filing", dossier.filing)
    return plan


@dataclass(frozen=True, slots=True)
class Ready:
    """A draft that may be submitted as it was shown: its plan, and the evidence of what was verified."""

    revision: int
    plan: Plan
    evidence: Mapping[str, Finding]


async def prepare_submission(
    store: Store,
    outside: Outside,
    actor: Actor,
    filing_id: str,
    *,
    plan_digest: str,
    calendar: Calendar,
    state: State = State.DRAFT,
) -> Ready | None:
    """Compile again and verify with evidence, outside of any transaction; None when the filing is not so any more."""
    # The look beforehand is not the request: only the submission itself may be answered from the idempotency row.
    looking = replace(actor, call=replace(actor.call, idempotency_key=None))
    async with store.begin(looking) as tx:
        dossier = await tx.filings.read(filing_id)
        if dossier.filing.state is not state:
            return None
        definition = await tx.matters.get(dossier.filing.matter_code, dossier.filing.matter_version)
        at = tx.unit.at
    if definition.proof_level:
        refuse_unproven(definition, await outside.accounts.proof(actor), at=at)
    departments, findings = await _look_up(outside, actor, definition, dossier)

    def compiled(found: Mapping[str, Finding]) -> Plan:
        version = dossier.filing.matter_version
        return compile_plan(
            definition, version, dossier.draft, departments=departments, findings=found, calendar=calendar, at=at
        )

    plan = compiled(findings)
    _refuse_changed(dossier, plan, plan_digest)
    if plan.lacking:
        materials = [{"code": each.code, "reason": each.ground, **each.data} for each in plan.lacking]
        raise MaterialsMissing(filing_id=filing_id, materials=materials)
    evidence = await outside.verification.verify(
        actor,
        definition.code,
        filing_id,
        definition.name,
        licence_queries(definition, dossier.draft),
        agency=agency_of(actor),
    )
    verified = compiled(evidence)
    _refuse_changed(dossier, verified, plan_digest)
    return Ready(dossier.filing.revision, verified, evidence)


async def submit_filing(tx: Tx, filing_id: str, ready: Ready | None) -> Dossier:
    """Hand in the filing as its plan was shown (提交), with licences verified instead of papers."""
    dossier = await tx.filings.read(filing_id, lock=True)
    rules.refuse_unless_draft(dossier.filing)
    return await hand_in(tx, dossier, ready, verb="submit_filing")


async def hand_in(tx: Tx, dossier: Dossier, ready: Ready | None, *, verb: str) -> Dossier:
    """Split a filing into its cases, as it was prepared."""
    filing_id = dossier.filing.id
    if ready is None or dossier.filing.revision != ready.revision:
        raise PlanChanged(filing_id=filing_id, difference=[{"what": "revision"}])
    definition = await tx.matters.get(dossier.filing.matter_code, dossier.filing.matter_version)
    day, count = local_day(tx.unit.at), len(ready.plan.applying)
    serials = await tx.filings.serials(dossier.filing.region_code, day, ONLINE, count + 1)
    numbers = [number(dossier.filing.region_code, day, serial) for serial in serials]
    cases = split(
        definition,
        ready.plan,
        evidence=ready.evidence,
        ids=[str(tx.unit.ids()) for _ in range(count)],
        numbers=numbers[1:],
    )
    handed_in = replace(dossier.filing, agent_id=tx.unit.actor.id if agency_of(tx.unit.actor) else None)
    step = rules.submit(handed_in, no=numbers[0], cases=cases, at=tx.unit.at)
    await tx.filings.add_cases(step, ready.plan)
    tx.watches.add(watches_of(step.filing.cases, ready.evidence))
    submitted = replace(dossier, filing=step.filing, plan=ready.plan)
    receipt = receipt_of(submitted, definition.lead_department, document_id=str(tx.unit.ids()), at=tx.unit.at)
    tx.documents.add(receipt)
    _record(tx, verb, step.filing, cases=count, document_id=receipt.document_id)
    return submitted


async def read_filing(tx: Tx, filing_id: str) -> tuple[Dossier, dict[str, Outcome]]:
    """The applicant's own filing with its cases and what they gave."""
    dossier = await tx.filings.read(filing_id)
    return dossier, await tx.cases.outcomes(filing_id)


async def list_filings(tx: Tx, *, after: UUID | None, size: int) -> list[Dossier]:
    """The applicant's own filings, newest first."""
    return await tx.filings.page(after=after, size=size)


@dataclass(frozen=True, slots=True)
class Told:
    """An entry with the organ that acted, if one did, and the document that tells of it, if one does."""

    entry: Entry
    org_name: str | None
    document: Issued | None


async def read_timeline(tx: Tx, filing_id: str, *, after: tuple[datetime, UUID] | None, size: int) -> list[Told]:
    """What happened to the filing and its cases, oldest first: when, by whom, and in which document."""
    dossier = await tx.filings.read(filing_id)
    entries = await tx.operations.timeline(filing_id, acts=_TIMELINE, after=after, size=size)
    documents = {each.document_id: each for each in await tx.documents.of_filing(filing_id)}
    return [
        Told(entry, _acted(dossier, entry.org_path), documents.get(entry.details.get("document_id", "")))
        for entry in entries
    ]


def _acted(dossier: Dossier, org_path: str | None) -> str | None:
    """The organ of the plan that an officer's post belongs to."""
    organs = [item.org for item in dossier.plan.applying if item.org] if dossier.plan and org_path else []
    return next((org.name for org in organs if f"{org_path}.".startswith(f"{org.org_path}.")), None)


def _refuse_changed(dossier: Dossier, plan: Plan, plan_digest: str) -> None:
    if plan.digest == plan_digest:
        return
    shown = dossier.plan if dossier.plan is not None and dossier.plan.digest == plan_digest else None
    raise PlanChanged(
        filing_id=dossier.filing.id,
        plan_digest=plan.digest,
        difference=difference(shown, plan) if shown else [],
    )


async def _look_up(
    outside: Outside, actor: Actor, definition: Definition, dossier: Dossier
) -> tuple[Mapping[str, Department], Mapping[str, Finding]]:
    """One question to each service, both at once."""
    queries = licence_queries(definition, dossier.draft)
    return await asyncio.gather(
        outside.accounts.departments(actor, dossier.filing.region_code, definition.departments),
        outside.verification.find(actor, definition.code, dossier.filing.id, queries, agency=agency_of(actor)),
    )


async def _keep_proposal(tx: Tx, dossier: Dossier, definition: Definition, content: Content) -> None:
    """Keep to what may be changed of a proposal, and remember what no longer stands as it was filled."""
    proposal, _ = await tx.proposals.get(dossier.filing.id)
    proposals.refuse_unless_open(dossier.filing, proposal, at=tx.unit.at)
    changeable = definition.proposed_by.changeable if definition.proposed_by else ()
    anew = proposals.changed(dossier.content.form, content.form)
    proposals.refuse_fixed(changeable, anew)
    tx.proposals.refill(dossier.filing.id, tuple(field for field in proposal.filled if field not in anew))


def refuse_invalid(definition: Definition, content: Content) -> None:
    errors = [*form_errors(definition.form, content.form), *answer_errors(definition, content.answers)]
    if errors:
        raise DraftInvalid(matter_code=definition.code, errors=errors)


def _record(tx: Tx, verb: str, filing: Filing, **details: int | str) -> None:
    tx.unit.record(
        f"orchestration.{verb}",
        subject=("filing", filing.id),
        owner=filing.applicant_id,
        details={"matter_code": filing.matter_code, "revision": filing.revision, **details},
    )
