"""Deliveries: which documents have to reach their applicants, and what proves that they did."""

from typing import Any

from common.transaction import Transaction
from sqlalchemy import exists, select
from worktime import Calendar

from orchestration.domain import delivery as rules
from orchestration.domain.case import Case
from orchestration.domain.delivery import Delivery, Mode
from orchestration.domain.document import Document
from orchestration.models import DeliveryRow
from orchestration.store.rows import CASES

DELIVERIES: Any = DeliveryRow.__table__  # type: ignore[attr-defined]

_BEGIN = """
insert into deliveries (document_id, case_id, filing_id, org_path, issued_at, due_at)
values (cast(:document_id as uuid), cast(:case_id as uuid), cast(:filing_id as uuid), :org_path, :issued_at,
        :due_at)
returning 1"""
_FINISH = """
update deliveries set mode = :mode, delivered_at = :delivered_at, proof = :proof, recorded_at = :recorded_at
where document_id = cast(:document_id as uuid) and delivered_at is null
returning 1"""


class Deliveries:
    """The deliveries of cases; who may know of them is the caller's question."""

    def __init__(self, unit: Transaction, calendar: Calendar) -> None:
        self._unit = unit
        self._calendar = calendar

    def begin(self, document: Document, case: Case) -> None:
        """From now on a document has to reach its applicant, if it is of those that have to."""
        begun = rules.begin(document, case, self._calendar)
        if begun is not None:
            self._unit.write(
                "begin_delivery",
                _BEGIN,
                rows=1,
                document_id=begun.document_id,
                case_id=begun.case_id,
                filing_id=begun.filing_id,
                org_path=case.org_path,
                issued_at=begun.issued_at,
                due_at=begun.due_at,
            )

    def finish(self, delivery: Delivery) -> None:
        """Keep how a document reached its applicant."""
        proof = delivery.proof
        self._unit.write(
            "finish_delivery",
            _FINISH,
            rows=1,
            document_id=delivery.document_id,
            mode=delivery.mode.value if delivery.mode else None,
            delivered_at=delivery.delivered_at,
            proof=self._unit.keys.seal(proof.encode(), bound=_proof(delivery.document_id)) if proof else None,
            recorded_at=self._unit.at,
        )

    async def of_document(self, document_id: str) -> Delivery | None:
        rows = await self._unit.connection.execute(select(DELIVERIES).where(DELIVERIES.c.document_id == document_id))
        row = rows.one_or_none()
        return self._delivery(row) if row else None

    async def of_case(self, case_id: str) -> tuple[Delivery, ...]:
        return await self._found(DELIVERIES.c.case_id == case_id)

    async def of_filing(self, filing_id: str) -> tuple[Delivery, ...]:
        return await self._found(DELIVERIES.c.filing_id == filing_id)

    async def _found(self, where: Any) -> tuple[Delivery, ...]:
        query = select(DELIVERIES).where(where).order_by(DELIVERIES.c.document_id)
        return tuple(self._delivery(row) for row in await self._unit.connection.execute(query))

    def _delivery(self, row: Any) -> Delivery:
        proof = self._unit.keys.open(row.proof, bound=_proof(row.document_id)).decode() if row.proof else None
        return Delivery(
            document_id=row.document_id,
            case_id=row.case_id,
            filing_id=row.filing_id,
            issued_at=row.issued_at,
            due_at=row.due_at,
            mode=Mode(row.mode) if row.mode else None,
            delivered_at=row.delivered_at,
            proof=proof,
        )


def undelivered_column() -> Any:
    """Whether a case has something that has not reached its applicant."""
    return exists().where(DELIVERIES.c.case_id == CASES.c.id, DELIVERIES.c.delivered_at.is_(None)).label("undelivered")


def _proof(document_id: str) -> str:
    return f"deliveries.proof:{document_id}"
