"""Filings: what the applicant writes, is shown, hands in and follows."""

from datetime import datetime
from typing import Annotated, Any, cast
from uuid import UUID

from common import paging, web
from common.paging import Page
from fastapi import APIRouter
from pydantic import Field, StringConstraints

from orchestration import usecases
from orchestration.api.access import AppDep, CursorText, Id, JsonObject, MayFile, MayReadFiling, PageSize
from orchestration.api.answers import FilingAnswer, FilingLine, PlanAnswer, TimelineEntry
from orchestration.domain.filing import Content

router = APIRouter()

_Code = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
_Answers = Annotated[dict[_Code, web.Text], Field(default_factory=dict, max_length=50)]


class ReviseFiling(web.Body):
    """The form and the answers to the matter's questions."""

    form: JsonObject
    determinants: _Answers

    @property
    def content(self) -> Content:
        return Content(form=self.form, answers=self.determinants)


class DraftFiling(ReviseFiling):
    """A new filing on a matter, in a region."""

    matter_code: _Code
    region_code: Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{5}$")]


class SubmitFiling(web.Body):
    """The plan that the applicant was shown."""

    plan_digest: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


@router.post("/v1/filings")
async def draft_filing(body: DraftFiling, app: AppDep, actor: MayFile) -> FilingAnswer:
    async with app.store.begin(actor) as tx:
        drafted = await usecases.draft_filing(
            tx, matter_code=body.matter_code, region_code=body.region_code, content=body.content
        )
        return tx.unit.answer(FilingAnswer.of(drafted))


@router.put("/v1/filings/{filing_id}")
async def revise_filing(filing_id: Id, body: ReviseFiling, app: AppDep, actor: MayFile) -> FilingAnswer:
    async with app.store.begin(actor) as tx:
        return tx.unit.answer(FilingAnswer.of(await usecases.revise_filing(tx, filing_id, body.content)))


@router.get("/v1/filings/{filing_id}/plan")
async def plan_filing(filing_id: Id, app: AppDep, actor: MayFile) -> PlanAnswer:
    plan = await usecases.plan_filing(app.store, app.outside, actor, filing_id, app.calendar)
    return PlanAnswer.of(plan, app.sentences)


@router.post("/v1/filings/{filing_id}:submit")
async def submit_filing(filing_id: Id, body: SubmitFiling, app: AppDep, actor: MayFile) -> FilingAnswer:
    ready = await usecases.prepare_submission(
        app.store, app.outside, actor, filing_id, plan_digest=body.plan_digest, calendar=app.calendar
    )
    async with app.store.begin(actor) as tx:
        return tx.unit.answer(FilingAnswer.of(await usecases.submit_filing(tx, filing_id, ready)))


@router.get("/v1/filings")
async def list_filings(
    app: AppDep, actor: MayReadFiling, cursor: CursorText = None, page_size: PageSize = paging.DEFAULT_SIZE
) -> Page[FilingLine]:
    after = cast("UUID", paging.decode(cursor, UUID)[0]) if cursor else None
    async with app.store.begin(actor) as tx:
        rows = await usecases.list_filings(tx, after=after, size=page_size)
    return paging.cut([FilingLine.of(row) for row in rows], page_size, lambda line: (UUID(line.filing_id),))


@router.get("/v1/filings/{filing_id}")
async def read_filing(filing_id: Id, app: AppDep, actor: MayReadFiling) -> FilingAnswer:
    async with app.store.begin(actor) as tx:
        return FilingAnswer.of(*await usecases.read_filing(tx, filing_id))


@router.get("/v1/filings/{filing_id}/timeline")
async def read_timeline(
    filing_id: Id,
    app: AppDep,
    actor: MayReadFiling,
    cursor: CursorText = None,
    page_size: PageSize = paging.DEFAULT_SIZE,
) -> Page[TimelineEntry]:
    after: Any = paging.decode(cursor, datetime, UUID) if cursor else None
    async with app.store.begin(actor) as tx:
        rows = await usecases.read_timeline(tx, filing_id, after=after, size=page_size)
    entries = [TimelineEntry.of(row, app.sentences) for row in rows]
    return paging.cut(entries, page_size, lambda entry: (entry.at, UUID(entry.entry_id)))
