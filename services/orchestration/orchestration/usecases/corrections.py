"""Putting right what a decision says: kept beside it, told in writing, and shown on the licence that it gave."""

from collections.abc import Mapping
from typing import Any

from orchestration.domain import correction as rules
from orchestration.domain.call import CorrectLicence, licence_request
from orchestration.domain.case import Case
from orchestration.domain.correction import Correction, Stated
from orchestration.domain.definition import people_of
from orchestration.domain.filing import Dossier
from orchestration.domain.refusals import ResultInvalid
from orchestration.store import Tx
from orchestration.usecases.acts import record_act
from orchestration.usecases.forms import form_errors


async def correct_case(tx: Tx, case_id: str, *, reason: str, right: Stated) -> Case:
    """Correct a clerical error of a decision (更正); its applicant is told anew."""
    dossier = await tx.filings.lock_by_case(case_id, tx.unit.actor)
    is_issuing = await tx.calls.is_issuing(case_id)
    step = rules.correct(dossier.filing, case_id, is_issuing=is_issuing, at=tx.unit.at)
    case = step.filing.case(case_id)
    outcome = (await tx.cases.outcomes(dossier.filing.id))[case.item]
    before = Stated(outcome.result, outcome.explanation)
    after = rules.restate(case_id, case.status, before, right)
    titles = await _correct_result(tx, dossier, case, after) if right.result is not None else {}
    correction = Correction(
        correction_id=str(tx.unit.ids()),
        case_id=case_id,
        filing_id=dossier.filing.id,
        reason=reason,
        before=before,
        after=after,
        corrected_at=tx.unit.at,
    )
    tx.corrections.add(correction)
    await tx.filings.save(
        step,
        case_id=case_id,
        result=dict(after.result) if after.result is not None else None,
        explanation=after.explanation,
    )
    return record_act(tx, "correct_case", dossier, step, case_id, explanation=_in_writing(reason, right, titles))


async def _correct_result(tx: Tx, dossier: Dossier, case: Case, after: Stated) -> dict[str, str]:
    """The right result fits the item, and goes on the licence that the case gave; tells what its fields are called."""
    definition = await tx.matters.get(dossier.filing.matter_code, dossier.filing.matter_version)
    item, result = definition.item[case.item], dict(after.result or {})
    schema: Mapping[str, Any] = item.result.fields if item.result and item.result.fields else {"maxProperties": 0}
    if errors := form_errors(schema, result):
        raise ResultInvalid(case_id=case.id, errors=errors)
    people = people_of(definition, dossier.filing.applicant_id, dossier.content.form)
    wanted = licence_request(item, case, people=people, form=dossier.content.form, result=result)
    if wanted is not None and case.licence_id is not None:
        serial = len(await tx.corrections.of_case(case.id)) + 1
        await tx.calls.add(dossier.filing.id, CorrectLicence(case.id, case.licence_id, wanted.face), serial=serial)
    return {name: field.get("title", name) for name, field in schema.get("properties", {}).items()}


def _in_writing(reason: str, right: Stated, titles: Mapping[str, str]) -> str:
    """What the document says: why, and what is right now."""
    stated = [f"{titles[name]} {value}" for name, value in (right.result or {}).items()]
    return "\n".join([reason, *stated, *([right.explanation] if right.explanation else [])])
