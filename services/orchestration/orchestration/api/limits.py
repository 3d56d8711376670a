"""The limits of a case: stopped, resumed, extended."""

from typing import Annotated

from common import web
from fastapi import APIRouter
from pydantic import Field

from orchestration import usecases
from orchestration.api.access import AppDep, Id, MayDecide, MayExtend
from orchestration.api.answers import CaseAnswer
from orchestration.domain.limits import LONGEST_EXTENSION
from orchestration.domain.terms import Procedure

router = APIRouter()


class StopClock(web.Body):
    """Which special procedure, and how many working days the applicant is told that it takes."""

    procedure: Procedure
    days: Annotated[int, Field(ge=1, le=250)]


class ExtendLimit(web.Body):
    """How many working days more, and the reason that the applicant is told."""

    days: Annotated[int, Field(ge=1, le=LONGEST_EXTENSION)]
    reason: web.Text


@router.post("/v1/cases/{case_id}:stop_clock")
async def stop_clock(case_id: Id, body: StopClock, app: AppDep, actor: MayDecide) -> CaseAnswer:
    async with app.store.begin(actor) as tx:
        stopped = await usecases.stop_clock(
            tx, case_id, procedure=body.procedure, days=body.days, calendar=app.calendar
        )
        return tx.unit.answer(CaseAnswer.of(stopped))


@router.post("/v1/cases/{case_id}:resume_clock")
async def resume_clock(case_id: Id, app: AppDep, actor: MayDecide) -> CaseAnswer:
    async with app.store.begin(actor) as tx:
        return tx.unit.answer(CaseAnswer.of(await usecases.resume_clock(tx, case_id, calendar=app.calendar)))


@router.post("/v1/cases/{case_id}:extend_limit")
async def extend_limit(case_id: Id, body: ExtendLimit, app: AppDep, actor: MayExtend) -> CaseAnswer:
    async with app.store.begin(actor) as tx:
        extended = await usecases.extend_limit(tx, case_id, days=body.days, reason=body.reason, calendar=app.calendar)
        return tx.unit.answer(CaseAnswer.of(extended))
