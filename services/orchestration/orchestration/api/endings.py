"""Ways that a case ends without a decision."""

from typing import Annotated

from common import web
from fastapi import APIRouter
from pydantic import StringConstraints

from orchestration import usecases
from orchestration.api.access import AppDep, Id, MayAccept, MayDecide, MayFile
from orchestration.api.answers import CaseAnswer, FilingAnswer
from orchestration.domain.endings import DeclineGround, TerminationGround

router = APIRouter()


class DeclineCase(web.Body):
    """The ground of the law, in words for the applicant, and the organ that is competent if we are not."""

    ground: DeclineGround
    explanation: web.LongText
    competent_organ: Annotated[str, StringConstraints(min_length=2, max_length=100)] | None = None


class TerminateCase(web.Body):
    """The ground of the law, and in words for the applicant."""

    ground: TerminationGround
    explanation: web.LongText


@router.post("/v1/cases/{case_id}:decline")
async def decline_case(case_id: Id, body: DeclineCase, app: AppDep, actor: MayAccept) -> CaseAnswer:
    async with app.store.begin(actor) as tx:
        declined = await usecases.decline_case(
            tx,
            case_id,
            ground=body.ground,
            competent_organ=body.competent_organ,
            explanation=body.explanation,
        )
        return tx.unit.answer(CaseAnswer.of(declined))


@router.post("/v1/cases/{case_id}:terminate")
async def terminate_case(case_id: Id, body: TerminateCase, app: AppDep, actor: MayDecide) -> CaseAnswer:
    async with app.store.begin(actor) as tx:
        terminated = await usecases.terminate_case(tx, case_id, ground=body.ground, explanation=body.explanation)
        return tx.unit.answer(CaseAnswer.of(terminated))


@router.post("/v1/cases/{case_id}:withdraw")
async def withdraw_case(case_id: Id, app: AppDep, actor: MayFile) -> CaseAnswer:
    async with app.store.begin(actor) as tx:
        return tx.unit.answer(CaseAnswer.of(await usecases.withdraw_case(tx, case_id)))


@router.post("/v1/filings/{filing_id}:withdraw")
async def withdraw_filing(filing_id: Id, app: AppDep, actor: MayFile) -> FilingAnswer:
    async with app.store.begin(actor) as tx:
        return tx.unit.answer(FilingAnswer.of(await usecases.withdraw_filing(tx, filing_id)))
