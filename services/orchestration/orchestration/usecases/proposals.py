"""Proposals (提示): made after a case of another matter, and what their people do with them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from common.auth import Actor
from worktime import Calendar

from orchestration.domain import proposal as rules
from orchestration.domain.conditions import fields_in
from orchestration.domain.definition import Cause, Definition, ProposedBy
from orchestration.domain.filing import Content, Dossier, Filing, State
from orchestration.domain.proposal import Offer, Proposal
from orchestration.events import filing_proposed
from orchestration.store import Store, Tx
from orchestration.store.proposals import Origin
from orchestration.usecases.app import Outside
from orchestration.usecases.filings import Ready, hand_in, prepare_submission, refuse_invalid
from orchestration.usecases.matters import local_day

_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class FilledField:
    """A field with what it was filled from, by the titles that people know; nothing when it was not filled."""

    field: str
    title: str
    sources: tuple[str, ...]
    changeable: bool


@dataclass(frozen=True, slots=True)
class Explained:
    """A proposal in words: which case it was made after, and where each field comes from."""

    filing: Filing
    matter_name: str
    proposal: Proposal
    origin: Origin
    fields: tuple[FilledField, ...]


async def propose_filings(tx: Tx, case_id: str, *, cause: Cause, calendar: Calendar) -> None:
    """A case came to its result: propose to its applicant what is proposed after it (提示), each matter once."""
    today = local_day(tx.unit.at)
    waiting = [
        (definition, version)
        for definition, version in await tx.matters.proposed_after(case_id, today)
        if definition.proposed_by is not None and definition.proposed_by.cause is cause
    ]
    if not waiting:
        return
    dossier = await tx.filings.lock_by_case(case_id, tx.unit.actor)
    source = dossier.filing
    item = source.case(case_id).item
    outcome = (await tx.cases.outcomes(source.id)).get(item)
    offer = Offer(source, case_id, dossier.content, (outcome.result if outcome else None) or {}, today)
    for definition, version in waiting:
        if await tx.proposals.is_made(case_id, definition.code):
            continue
        made = rules.propose(definition, version, offer, filing_id=str(tx.unit.ids()), at=tx.unit.at, calendar=calendar)
        if made is None:
            continue
        tx.proposals.add(made, matter_name=definition.name)
        tx.unit.emit(filing_proposed(made.filing, definition.name, due_at=made.proposal.due_at, at=tx.unit.at))
        _record(tx, "propose_filing", made.filing, source_case_id=case_id, source_filing_id=source.id)


async def read_proposal(tx: Tx, filing_id: str) -> Explained:
    """What was filled in from where; of the applicant's own filing."""
    dossier = await tx.filings.read(filing_id)
    proposal, origin = await tx.proposals.get(filing_id)
    definition = await tx.matters.get(dossier.filing.matter_code, dossier.filing.matter_version)
    source = await tx.matters.get(origin.matter_code, origin.matter_version)
    fields = _fields(definition, source, proposal) if definition.proposed_by else ()
    return Explained(dossier.filing, dossier.matter_name, proposal, origin, fields)


async def prepare_confirmation(
    store: Store, outside: Outside, actor: Actor, filing_id: str, *, plan_digest: str, calendar: Calendar
) -> Ready | None:
    """See to it that the form is complete, then prepare as any submission; None when nothing waits any more."""
    looking = replace(actor, call=replace(actor.call, idempotency_key=None))
    async with store.begin(looking) as tx:
        dossier = await tx.filings.read(filing_id)
        proposal, _ = await tx.proposals.get(filing_id)
        if dossier.filing.state is not State.PROPOSED or proposal.due_at <= tx.unit.at:
            return None
        definition = await tx.matters.get(dossier.filing.matter_code, dossier.filing.matter_version)
        refuse_invalid(definition, dossier.content)
    return await prepare_submission(
        store, outside, actor, filing_id, plan_digest=plan_digest, calendar=calendar, state=State.PROPOSED
    )


async def confirm_filing(tx: Tx, filing_id: str, ready: Ready | None) -> Dossier:
    """Confirm a proposal as its plan was shown (确认): from now on it is a filing like any other."""
    dossier = await tx.filings.read(filing_id, lock=True)
    proposal, _ = await tx.proposals.get(filing_id)
    rules.refuse_unless_open(dossier.filing, proposal, at=tx.unit.at)
    tx.proposals.end(filing_id)
    return await hand_in(tx, dossier, ready, verb="confirm_filing")


async def decline_filing(tx: Tx, filing_id: str) -> Dossier:
    """Decline a proposal (谢绝); its case gives no cause for it again, and what was filled in is forgotten."""
    dossier = await tx.filings.read(filing_id, lock=True)
    proposal, _ = await tx.proposals.get(filing_id)
    rules.refuse_unless_open(dossier.filing, proposal, at=tx.unit.at)
    ended = rules.end(dossier.filing, State.DECLINED, at=tx.unit.at)
    tx.proposals.let_go(ended)
    _record(tx, "decline_filing", ended)
    return Dossier(ended, dossier.matter_name, Content(form={}, answers={}))


async def sweep_proposals(store: Store, actor: Actor) -> int:
    """Let a batch of proposals go whose time is over; tells how many there were."""
    async with store.begin(actor) as tx:
        due = await tx.proposals.due(_AT_ONCE)
        for filing in due:
            ended = rules.end(filing, State.EXPIRED, at=tx.unit.at)
            tx.proposals.let_go(ended)
            _record(tx, "timer_confirmation", ended)
    return len(due)


def _fields(definition: Definition, source: Definition, proposal: Proposal) -> tuple[FilledField, ...]:
    proposed = definition.proposed_by
    mapping = proposed.form if proposed else {}
    changeable = proposed.changeable if proposed else ()
    return tuple(
        FilledField(
            field=field,
            title=_title(definition.form, field),
            sources=_sources(source, proposed, mapping[field]) if proposed and field in proposal.filled else (),
            changeable=field in changeable,
        )
        for field in definition.form["properties"]
    )


def _sources(source: Definition, proposed: ProposedBy, expression: str) -> tuple[str, ...]:
    """What an expression reads, by its titles: fields of the form, the item's result, questions answered."""
    result = source.item[proposed.item].result
    questions = {determinant.code: {"title": determinant.question} for determinant in source.determinants}
    schemas: dict[str, Mapping[str, Any]] = {
        "form": source.form,
        "result": result.fields if result else {},
        "answers": {"properties": questions},
    }
    return tuple(
        _title(schema, name) for root, schema in schemas.items() for name in sorted(fields_in(expression, root))
    )


def _title(schema: Mapping[str, Any], field: str) -> str:
    return str(schema.get("properties", {}).get(field, {}).get("title", field))


def _record(tx: Tx, verb: str, filing: Filing, **details: str) -> None:
    tx.unit.record(
        f"orchestration.{verb}",
        subject=("filing", filing.id),
        owner=filing.applicant_id,
        details={"matter_code": filing.matter_code, **details},
    )
