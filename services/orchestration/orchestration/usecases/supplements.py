"""What a case lacks: the department asks once, or accepts without it; the applicant brings it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from common.auth import Actor
from worktime import Calendar

from orchestration.domain import supplements as rules
from orchestration.domain.attachment import name_files
from orchestration.domain.case import Case
from orchestration.domain.definition import Definition
from orchestration.domain.document import NOTHING, Named
from orchestration.domain.filing import Content, Dossier, Step
from orchestration.domain.plan import Finding, Standing, find_again, licence_queries
from orchestration.domain.refusals import AbsenceUnfit, DraftInvalid, MaterialsMissing, SupplementUnfit
from orchestration.domain.terms import SupplementKind
from orchestration.store import Store, Tx
from orchestration.store.agents import agency_of
from orchestration.usecases.acts import record_act
from orchestration.usecases.app import Outside
from orchestration.usecases.forms import form_errors


@dataclass(frozen=True, slots=True)
class Answer:
    """What an applicant brings: fields of the form, materials handed in on paper, and scans that were uploaded."""

    fields: dict[str, Any]
    handed_in: tuple[str, ...]
    attachments: tuple[str, ...] = ()


async def request_supplement(
    tx: Tx,
    case_id: str,
    *,
    kind: SupplementKind,
    fields: Sequence[str],
    materials: Sequence[str],
    explanation: str,
    calendar: Calendar,
) -> Case:
    """Tell the applicant, once and all at once, which fields and materials are missing or wrong (补正告知)."""
    dossier = await tx.filings.lock_by_case(case_id, tx.unit.actor)
    definition = await tx.matters.get(dossier.filing.matter_code, dossier.filing.matter_version)
    item = definition.item[dossier.filing.case(case_id).item]
    known = {need.requirement for need in item.requirements}
    if not set(item.form_fields).issuperset(fields) or not known.issuperset(materials):
        raise SupplementUnfit(case_id=case_id, fields=list(item.form_fields), materials=sorted(known))
    step = rules.request_supplement(
        dossier.filing,
        case_id,
        kind=kind,
        fields=fields,
        materials=materials,
        at=tx.unit.at,
        calendar=calendar,
    )
    await tx.filings.save(step, case_id=case_id, explanation=explanation)
    named = _named(definition, fields, materials)
    return record_act(tx, "request_supplement", dossier, step, case_id, explanation=explanation, named=named)


async def withdraw_request(tx: Tx, case_id: str) -> Case:
    """Take the request back: nothing more is needed."""
    dossier = await tx.filings.lock_by_case(case_id, tx.unit.actor)
    step = rules.withdraw_request(dossier.filing, case_id, at=tx.unit.at)
    await tx.filings.save(step, case_id=case_id)
    return record_act(tx, "withdraw_request", dossier, step, case_id)


async def tolerate_absence(tx: Tx, case_id: str, *, missing: Sequence[str], calendar: Calendar) -> Case:
    """Accept a case although minor materials are missing (容缺受理)."""
    dossier = await tx.filings.lock_by_case(case_id, tx.unit.actor)
    definition = await tx.matters.get(dossier.filing.matter_code, dossier.filing.matter_version)
    minor = definition.item[dossier.filing.case(case_id).item].deferrable
    there = await tx.cases.materials(case_id)
    lacking = frozenset(each.code for each in there if each.code in minor and each.standing is Standing.NEEDED)
    step = rules.tolerate(dossier.filing, case_id, missing=missing, minor=lacking, at=tx.unit.at, calendar=calendar)
    await tx.filings.save(step, case_id=case_id)
    return record_act(tx, "tolerate_absence", dossier, step, case_id, named=_named(definition, (), missing))


async def verify_answer(
    store: Store, outside: Outside, actor: Actor, case_id: str, answer: Answer
) -> dict[str, Finding]:
    """Have the licences verified anew that were asked for and are not handed in, outside of any transaction."""
    looking = replace(actor, call=replace(actor.call, idempotency_key=None))
    async with store.begin(looking) as tx:
        dossier = await tx.filings.lock_by_case(case_id, actor)
        definition = await tx.matters.get(dossier.filing.matter_code, dossier.filing.matter_version)
    case = dossier.filing.case(case_id)
    wanted = set(_asked(case)) - set(answer.handed_in)
    draft = replace(dossier, content=_supplemented(dossier, answer)).draft
    queries = [query for query in licence_queries(definition, draft) if query.key in wanted]
    return await outside.verification.verify(
        actor, definition.code, dossier.filing.id, definition.name, queries, agency=agency_of(actor)
    )


async def answer_supplement(tx: Tx, case_id: str, answer: Answer, findings: dict[str, Finding]) -> Case:
    """Give what was asked for (补正): only the named fields of the form change, only the named materials."""
    dossier = await tx.filings.lock_by_case(case_id, tx.unit.actor)
    step = rules.answer_supplement(dossier.filing, case_id, fields=list(answer.fields), at=tx.unit.at)
    content = _supplemented(dossier, answer)
    definition = await tx.matters.get(dossier.filing.matter_code, dossier.filing.matter_version)
    if errors := form_errors(definition.form, content.form):
        raise DraftInvalid(matter_code=definition.code, errors=errors)
    case = dossier.filing.case(case_id)
    step = await _with_materials(tx, replace(dossier, content=content), step, case, answer=answer, findings=findings)
    await tx.filings.supplement(dossier.filing, content)
    await tx.filings.save(step, case_id=case_id)
    asked = case.supplement
    named = _named(definition, asked.fields, asked.materials) if asked else NOTHING
    return record_act(tx, "answer_supplement", dossier, step, case_id, named=named)


async def supply_materials(tx: Tx, case_id: str, answer: Answer, findings: dict[str, Finding]) -> Case:
    """Bring the minor materials that a case was accepted without."""
    dossier = await tx.filings.lock_by_case(case_id, tx.unit.actor)
    step = rules.supply(dossier.filing, case_id, at=tx.unit.at)
    if answer.fields:
        raise AbsenceUnfit(case_id=case_id)
    step = await _with_materials(tx, dossier, step, dossier.filing.case(case_id), answer=answer, findings=findings)
    await tx.filings.save(step, case_id=case_id)
    definition = await tx.matters.get(dossier.filing.matter_code, dossier.filing.matter_version)
    named = _named(definition, (), _asked(dossier.filing.case(case_id)))
    return record_act(tx, "supply_materials", dossier, step, case_id, named=named)


async def _with_materials(
    tx: Tx, dossier: Dossier, step: Step, before: Case, *, answer: Answer, findings: dict[str, Finding]
) -> Step:
    """The case with its materials as they stand now; what was asked for and is still missing is refused."""
    asked = _asked(before)
    if not set(asked).issuperset(answer.handed_in):
        raise SupplementUnfit(case_id=before.id, materials=list(asked))
    definition = await tx.matters.get(dossier.filing.matter_code, dossier.filing.matter_version)
    uploaded: Mapping[str, tuple[str, ...]] = {}
    if answer.attachments:
        uploaded = name_files(await tx.attachments.of_filing(dossier.filing.id), answer.attachments, asked)
    there = await tx.cases.materials(before.id)
    named = [each for each in there if each.code in asked]
    draft = replace(dossier, uploaded=uploaded).draft
    now = find_again(definition, draft, named, findings=findings, handed_in=answer.handed_in)
    lacking = [{"code": each.code, "reason": each.ground} for each in now if each.standing is Standing.NEEDED]
    if lacking:
        raise MaterialsMissing(filing_id=dossier.filing.id, materials=lacking)
    by_code = {each.code: each for each in now}
    materials = tuple(by_code.get(each.code, each) for each in there)
    changed = tuple(replace(case, materials=materials) if case.id == before.id else case for case in step.changed)
    return replace(step, changed=changed)


def _named(definition: Definition, fields: Sequence[str], materials: Sequence[str]) -> Named:
    properties = definition.form["properties"]
    return Named(
        fields=tuple(properties[field].get("title", field) for field in fields),
        materials=tuple(definition.requirement[material].name for material in materials),
    )


def _asked(case: Case) -> tuple[str, ...]:
    if case.absence is not None and case.absence.is_open:
        return case.absence.materials
    return case.supplement.materials if case.supplement is not None else ()


def _supplemented(dossier: Dossier, answer: Answer) -> Content:
    return Content(form={**dossier.content.form, **answer.fields}, answers=dossier.content.answers)
