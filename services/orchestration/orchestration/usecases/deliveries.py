"""Decisions reach their applicants: opened online, or handed over by an officer; proved once."""

from worktime import Calendar

from orchestration.domain import delivery as rules
from orchestration.domain.delivery import Delivery, Receipt
from orchestration.domain.filing import Dossier
from orchestration.events import case_delivered
from orchestration.store import Tx
from orchestration.store.documents import Issued


async def record_opening(tx: Tx, issued: Issued) -> None:
    """The applicant opened a document: the first time delivers it (电子送达), any other tells nothing."""
    found = await tx.deliveries.of_document(issued.document_id)
    if found is None or not found.is_open:
        return
    dossier = await tx.filings.lock_by_case(found.case_id, tx.unit.actor)
    # Who waited for the lock sees what the one before wrote.
    opened = rules.opened(dossier.filing, await tx.deliveries.of_document(issued.document_id), at=tx.unit.at)
    if opened is not None:
        _finish(tx, dossier, opened, "open_document")


async def deliver_case(tx: Tx, case_id: str, receipt: Receipt, *, calendar: Calendar) -> tuple[Delivery, ...]:
    """Record that what waited to reach the applicant was handed over another way (送达回证)."""
    dossier = await tx.filings.lock_by_case(case_id, tx.unit.actor)
    deliveries = await tx.deliveries.of_case(case_id)
    delivered = rules.deliver(dossier.filing, case_id, deliveries, receipt, at=tx.unit.at, calendar=calendar)
    for each in delivered:
        _finish(tx, dossier, each, "deliver_case")
    by_id = {each.document_id: each for each in delivered}
    return tuple(by_id.get(each.document_id, each) for each in deliveries)


async def list_deliveries(tx: Tx, filing_id: str) -> dict[str, Delivery]:
    """The deliveries of a filing whose documents were listed, by their document."""
    return {each.document_id: each for each in await tx.deliveries.of_filing(filing_id)}


def _finish(tx: Tx, dossier: Dossier, delivery: Delivery, verb: str) -> None:
    case = dossier.filing.case(delivery.case_id)
    tx.deliveries.finish(delivery)
    tx.unit.emit(case_delivered(dossier.filing, case, delivery))
    tx.unit.record(
        f"orchestration.{verb}",
        subject=("case", case.id),
        owner=dossier.filing.applicant_id,
        details={
            "filing_id": dossier.filing.id,
            "case_no": case.no,
            "item": case.item,
            "item_name": case.item_name,
            "document_id": delivery.document_id,
            "reason": f"DELIVERED_{delivery.mode.name}" if delivery.mode else None,
        },
    )
