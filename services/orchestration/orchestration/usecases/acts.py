"""Writing down an act on a case for its applicant and for those who look after it."""

from orchestration.domain.case import Case
from orchestration.domain.document import NOTHING, Named, document_of
from orchestration.domain.filing import Dossier, Step
from orchestration.store import Tx


def record_act(
    tx: Tx,
    verb: str,
    dossier: Dossier,
    step: Step,
    case_id: str,
    *,
    explanation: str | None = None,
    named: Named = NOTHING,
    **more: str | int,
) -> Case:
    """Journal what was done to a case, issue its document, and hand the case on as it is now."""
    case = step.filing.case(case_id)
    document = document_of(
        verb,
        dossier,
        step,
        case_id,
        document_id=str(tx.unit.ids()),
        explanation=explanation,
        named=named,
        at=tx.unit.at,
    )
    if document is not None:
        tx.documents.add(document)
        tx.deliveries.begin(document, case)
    tx.unit.record(
        f"orchestration.{verb}",
        subject=("case", case_id),
        owner=dossier.filing.applicant_id,
        details={
            "filing_id": dossier.filing.id,
            "case_no": case.no,
            "item": case.item,
            "item_name": case.item_name,
            "status": case.status.value,
            "reason_code": case.reason_code,
            "facts": [fact.happened.value for fact in step.facts],
            **({"document_id": document.document_id} if document is not None else {}),
            **more,
        },
    )
    return case
