"""Cases: what a department's officer sees and decides; and what operators look after."""

from typing import Annotated, cast
from uuid import UUID

from common import paging, web
from common.paging import Page
from fastapi import APIRouter, Query
from pydantic import Field, StringConstraints

from orchestration import usecases
from orchestration.api.access import (
    AppDep,
    CursorText,
    Id,
    JsonObject,
    MayAccept,
    MayDecide,
    MayOperate,
    MayReadCase,
    MayResolve,
    PageSize,
)
from orchestration.api.answers import CaseAnswer
from orchestration.api.case_answers import (
    AlarmAnswer,
    CaseDetailAnswer,
    CaseLineAnswer,
    ReverifiedAnswer,
    StuckAnswer,
)
from orchestration.domain.case import Status
from orchestration.domain.watch import Acknowledgement

router = APIRouter()

RequirementCode = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
_StatusQuery = Annotated[Status | None, Query()]
_UndeliveredQuery = Annotated[bool, Query()]


class AcknowledgeEvidence(web.Body):
    """The materials whose changed evidence the officer knows of, and why the case is approved all the same."""

    requirements: Annotated[list[RequirementCode], Field(min_length=1, max_length=50)]
    reason: web.LongText


class ApproveCase(web.Body):
    """The fields of the item's result, and what the officer knows of evidence that changed."""

    result: JsonObject = Field(default_factory=dict)
    acknowledged: AcknowledgeEvidence | None = None


class RefuseCase(web.Body):
    """Why, as a code for statistics and in words for the applicant."""

    reason_code: Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]{1,62}$")]
    explanation: web.LongText


@router.get("/v1/cases")
async def list_cases(
    app: AppDep,
    actor: MayReadCase,
    *,
    status: _StatusQuery = None,
    undelivered: _UndeliveredQuery = False,
    cursor: CursorText = None,
    page_size: PageSize = paging.DEFAULT_SIZE,
) -> Page[CaseLineAnswer]:
    after = cast("UUID", paging.decode(cursor, UUID)[0]) if cursor else None
    async with app.store.begin(actor) as tx:
        rows = await usecases.list_cases(tx, status=status, undelivered=undelivered, after=after, size=page_size)
        at = tx.unit.at
    lines = [CaseLineAnswer.of(row, at=at, calendar=app.calendar) for row in rows]
    return paging.cut(lines, page_size, lambda line: (UUID(line.case_id),))


@router.get("/v1/cases/{case_id}")
async def read_case(case_id: Id, app: AppDep, actor: MayReadCase) -> CaseDetailAnswer:
    async with app.store.begin(actor) as tx:
        detail = await usecases.read_case(tx, case_id)
    return CaseDetailAnswer.of(detail, app.sentences, app.calendar)


@router.post("/v1/cases/{case_id}:accept")
async def accept_case(case_id: Id, app: AppDep, actor: MayAccept) -> CaseAnswer:
    async with app.store.begin(actor) as tx:
        return tx.unit.answer(CaseAnswer.of(await usecases.accept_case(tx, case_id, calendar=app.calendar)))


@router.post("/v1/cases/{case_id}:approve")
async def approve_case(case_id: Id, body: ApproveCase, app: AppDep, actor: MayDecide) -> CaseAnswer:
    async with app.store.begin(actor) as tx:
        approved = await usecases.approve_case(tx, case_id, result=body.result, acknowledged=_known(body))
        answer = tx.unit.answer(CaseAnswer.of(approved))
    app.calls_due.set()
    return answer


@router.post("/v1/cases/{case_id}:reverify")
async def reverify_case(case_id: Id, app: AppDep, actor: MayDecide) -> ReverifiedAnswer:
    found = await usecases.prepare_reverification(app.store, app.outside, actor, case_id)
    async with app.store.begin(actor) as tx:
        alarms = await usecases.reverify_case(tx, case_id, found)
        return tx.unit.answer(ReverifiedAnswer(case_id, tuple(AlarmAnswer.of(each, app.sentences) for each in alarms)))


@router.post("/v1/cases/{case_id}:refuse")
async def refuse_case(case_id: Id, body: RefuseCase, app: AppDep, actor: MayDecide) -> CaseAnswer:
    async with app.store.begin(actor) as tx:
        refused = await usecases.refuse_case(tx, case_id, reason_code=body.reason_code, explanation=body.explanation)
        return tx.unit.answer(CaseAnswer.of(refused))


def _known(body: ApproveCase) -> Acknowledgement | None:
    if body.acknowledged is None:
        return None
    return Acknowledgement(tuple(sorted(set(body.acknowledged.requirements))), body.acknowledged.reason)


@router.post("/v1/operations/incidents/{call_id}:retry")
async def retry_incident(call_id: Id, app: AppDep, actor: MayResolve) -> dict[str, str]:
    async with app.store.begin(actor) as tx:
        await usecases.retry_incident(tx, call_id)
        answer = tx.unit.answer({"call_id": call_id, "state": "pending"})
    app.calls_due.set()
    return answer


@router.post("/v1/operations/incidents/{call_id}:hand_over")
async def hand_over_incident(call_id: Id, app: AppDep, actor: MayResolve) -> dict[str, str]:
    async with app.store.begin(actor) as tx:
        await usecases.hand_over_incident(tx, call_id)
        return tx.unit.answer({"call_id": call_id, "state": "done"})


@router.get("/v1/operations/stuck")
async def list_stuck(app: AppDep, actor: MayOperate) -> StuckAnswer:
    async with app.store.begin(actor) as tx:
        return StuckAnswer(await usecases.list_motionless(tx), await usecases.list_incidents(tx))
