"""What a department does with a case."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from worktime import Calendar

from orchestration.domain import filing as rules
from orchestration.domain.call import licence_request
from orchestration.domain.case import Case, Status
from orchestration.domain.correction import Correction
from orchestration.domain.definition import Item, people_of
from orchestration.domain.delivery import Delivery
from orchestration.domain.plan import Ground
from orchestration.domain.refusals import ResultInvalid
from orchestration.domain.watch import Acknowledgement, refuse_changed
from orchestration.store import Tx
from orchestration.store.cases import CaseFile, CaseLine, Outcome
from orchestration.usecases.acts import record_act
from orchestration.usecases.forms import form_errors

_ON_DUTY = "handle_case"  # why an officer reads a case who names no other purpose


@dataclass(frozen=True, slots=True)
class CaseDetail:
    """A case as its officer sees it, with the item's rules and what sibling cases produced for it."""

    file: CaseFile
    item: Item
    titles: dict[str, str]
    produced: dict[str, Outcome]
    deliveries: tuple[Delivery, ...]
    corrections: tuple[Correction, ...]


async def accept_case(tx: Tx, case_id: str, *, calendar: Calendar) -> Case:
    """Take responsibility for a case (受理); its working-day clocks start."""
    dossier = await tx.filings.lock_by_case(case_id, tx.unit.actor)
    step = rules.accept(dossier.filing, case_id, at=tx.unit.at, calendar=calendar)
    await tx.filings.save(step, case_id=case_id)
    return record_act(tx, "accept_case", dossier, step, case_id)


async def approve_case(
    tx: Tx, case_id: str, *, result: dict[str, Any], acknowledged: Acknowledgement | None = None
) -> Case:
    """Approve a case (准予) on evidence that holds; its licence, if it gives one, is asked for right after."""
    dossier = await tx.filings.lock_by_case(case_id, tx.unit.actor)
    step = rules.approve(dossier.filing, case_id, at=tx.unit.at)
    refuse_changed(case_id, dossier.alarms, acknowledged)
    case = step.filing.case(case_id)
    definition = await tx.matters.get(dossier.filing.matter_code, dossier.filing.matter_version)
    item = definition.item[case.item]
    schema = item.result.fields if item.result and item.result.fields else {"maxProperties": 0}
    if errors := form_errors(schema, result):
        raise ResultInvalid(case_id=case_id, errors=errors)
    people = people_of(definition, dossier.filing.applicant_id, dossier.content.form)
    request = licence_request(item, case, people=people, form=dossier.content.form, result=result)
    if request is not None:
        await tx.calls.add(dossier.filing.id, request)
    await tx.filings.save(step, case_id=case_id, result=result)
    tx.watches.settle(case_id, acknowledged)
    return record_act(tx, "approve_case", dossier, step, case_id)


async def refuse_case(tx: Tx, case_id: str, *, reason_code: str, explanation: str) -> Case:
    """Refuse a case (不予批准) with its reasons; cases that need its approval leave the filing."""
    dossier = await tx.filings.lock_by_case(case_id, tx.unit.actor)
    step = rules.refuse(dossier.filing, case_id, reason_code=reason_code, at=tx.unit.at)
    await tx.filings.save(step, case_id=case_id, explanation=explanation)
    return record_act(tx, "refuse_case", dossier, step, case_id, explanation=explanation)


async def read_case(tx: Tx, case_id: str) -> CaseDetail:
    """What the officer decides on; the applicant can read that it was read."""
    file = await tx.cases.read(case_id)
    definition = await tx.matters.get(file.matter_code, file.matter_version)
    producers = [each.data.get("item") for each in file.case.materials if each.ground is Ground.PRODUCED_BY_ITEM]
    outcomes = await tx.cases.outcomes(file.filing_id) if producers else {}
    tx.unit.record(
        "orchestration.read_case",
        subject=("case", case_id),
        owner=file.applicant_id,
        purpose=tx.unit.actor.call.purpose or _ON_DUTY,
        details={"filing_id": file.filing_id, "item": file.case.item},
    )
    properties = definition.form["properties"]
    item = definition.item[file.case.item]
    return CaseDetail(
        file=file,
        item=item,
        titles={field: properties[field].get("title", field) for field in item.form_fields},
        produced={code: outcomes[code] for code in producers if code in outcomes},
        deliveries=await tx.deliveries.of_case(case_id) if file.case.decided_at else (),
        corrections=await tx.corrections.of_case(case_id) if file.case.decided_at else (),
    )


async def list_cases(
    tx: Tx, *, status: Status | None, undelivered: bool, after: UUID | None, size: int
) -> list[CaseLine]:
    """The cases in the post's sight, newest first; a list shows no personal data and is not journalled."""
    return await tx.cases.page(status=status, undelivered=undelivered, after=after, size=size)
