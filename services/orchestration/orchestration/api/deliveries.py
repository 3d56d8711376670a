"""After the decision: an officer records how it reached its applicant, and corrects what is wrong in it."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Self

from common import web
from fastapi import APIRouter

from orchestration import usecases
from orchestration.api.access import AppDep, Id, JsonObject, MayDecide, MayDeliver
from orchestration.api.answers import CaseAnswer
from orchestration.domain.correction import Stated
from orchestration.domain.delivery import Delivery, Mode, Receipt

router = APIRouter()


class DeliverCase(web.Body):
    """How and when it was handed over, and the proof: the tracking number, the witnesses, where it was announced."""

    mode: Mode
    on: date | None = None
    proof: web.Text | None = None


@dataclass(frozen=True, slots=True)
class DeliveryAnswer:
    """Whether and how a document reached its applicant."""

    document_id: str
    issued_at: datetime
    due_at: datetime
    mode: Mode | None
    delivered_at: datetime | None
    proof: str | None

    @classmethod
    def of(cls, delivery: Delivery) -> Self:
        return cls(**{name: getattr(delivery, name) for name in cls.__slots__})


@router.post("/v1/cases/{case_id}:deliver")
async def deliver_case(case_id: Id, body: DeliverCase, app: AppDep, actor: MayDeliver) -> list[DeliveryAnswer]:
    receipt = Receipt(body.mode, body.on, body.proof)
    async with app.store.begin(actor) as tx:
        delivered = await usecases.deliver_case(tx, case_id, receipt, calendar=app.calendar)
        return tx.unit.answer([DeliveryAnswer.of(each) for each in delivered])


class CorrectCase(web.Body):
    """What was wrong, and what is right: fields of the result, or the explanation."""

    reason: web.LongText
    result: JsonObject | None = None
    explanation: web.LongText | None = None


@router.post("/v1/cases/{case_id}:correct")
async def correct_case(case_id: Id, body: CorrectCase, app: AppDep, actor: MayDecide) -> CaseAnswer:
    right = Stated(body.result, body.explanation)
    async with app.store.begin(actor) as tx:
        corrected = await usecases.correct_case(tx, case_id, reason=body.reason, right=right)
        answer = tx.unit.answer(CaseAnswer.of(corrected))
    app.calls_due.set()
    return answer
