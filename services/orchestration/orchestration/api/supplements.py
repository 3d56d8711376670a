"""What a case lacks: asked for by officers, brought by applicants."""

from typing import Annotated

from common import web
from fastapi import APIRouter
from pydantic import Field, StringConstraints

from orchestration import usecases
from orchestration.api.access import AppDep, Id, JsonObject, MayAccept, MayFile
from orchestration.api.answers import CaseAnswer
from orchestration.domain.terms import SupplementKind
from orchestration.usecases import Answer

router = APIRouter()

_Code = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
_Id = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
_Codes = Annotated[tuple[_Code, ...], Field(default=(), max_length=50)]


class RequestSupplement(web.Body):
    """Why, exactly which fields and materials, and in words for the applicant."""

    kind: SupplementKind
    fields: _Codes
    materials: _Codes
    explanation: web.LongText


class AnswerSupplement(web.Body):
    """The fields that were asked for, materials handed in on paper, scans uploaded; licences are verified anew."""

    form: JsonObject = Field(default_factory=dict)
    handed_in: _Codes
    attachments: Annotated[tuple[_Id, ...], Field(default=(), max_length=50)]

    @property
    def answer(self) -> Answer:
        return Answer(self.form, self.handed_in, self.attachments)


class TolerateAbsence(web.Body):
    """The minor materials that are missing."""

    missing: Annotated[tuple[_Code, ...], Field(min_length=1, max_length=50)]


@router.post("/v1/cases/{case_id}:request_supplement")
async def request_supplement(case_id: Id, body: RequestSupplement, app: AppDep, actor: MayAccept) -> CaseAnswer:
    async with app.store.begin(actor) as tx:
        asked = await usecases.request_supplement(
            tx,
            case_id,
            kind=body.kind,
            fields=body.fields,
            materials=body.materials,
            explanation=body.explanation,
            calendar=app.calendar,
        )
        return tx.unit.answer(CaseAnswer.of(asked))


@router.post("/v1/cases/{case_id}:withdraw_request")
async def withdraw_request(case_id: Id, app: AppDep, actor: MayAccept) -> CaseAnswer:
    async with app.store.begin(actor) as tx:
        return tx.unit.answer(CaseAnswer.of(await usecases.withdraw_request(tx, case_id)))


@router.post("/v1/cases/{case_id}:answer_supplement")
async def answer_supplement(case_id: Id, body: AnswerSupplement, app: AppDep, actor: MayFile) -> CaseAnswer:
    findings = await usecases.verify_answer(app.store, app.outside, actor, case_id, body.answer)
    async with app.store.begin(actor) as tx:
        return tx.unit.answer(CaseAnswer.of(await usecases.answer_supplement(tx, case_id, body.answer, findings)))


@router.post("/v1/cases/{case_id}:tolerate_absence")
async def tolerate_absence(case_id: Id, body: TolerateAbsence, app: AppDep, actor: MayAccept) -> CaseAnswer:
    async with app.store.begin(actor) as tx:
        accepted = await usecases.tolerate_absence(tx, case_id, missing=body.missing, calendar=app.calendar)
        return tx.unit.answer(CaseAnswer.of(accepted))


@router.post("/v1/cases/{case_id}:supply_materials")
async def supply_materials(case_id: Id, body: AnswerSupplement, app: AppDep, actor: MayFile) -> CaseAnswer:
    findings = await usecases.verify_answer(app.store, app.outside, actor, case_id, body.answer)
    async with app.store.begin(actor) as tx:
        return tx.unit.answer(CaseAnswer.of(await usecases.supply_materials(tx, case_id, body.answer, findings)))
