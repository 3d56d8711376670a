"""Mergers of duplicate persons at the HTTP door."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from common.auth import Actor
from common.paging import DEFAULT_SIZE, Page
from common.permissions import Permission
from common.web import Body, LongText, may
from fastapi import APIRouter

from accounts.api.terms import OFFICERS, Cursor, PageSize, StoreDep
from accounts.domain.merger import Merger, MergerState
from accounts.usecases import mergers

router = APIRouter(prefix="/v1")

MayReadMerger = Annotated[Actor, may(Permission("accounts:merge_persons", OFFICERS, acr=2))]
MayMerge = Annotated[Actor, may(Permission("accounts:merge_persons", OFFICERS, acr=2, max_age=900))]


class RequestMerger(Body):
    """Which record stays, which goes, and why both are one person."""

    surviving_id: UUID
    merged_id: UUID
    grounds: LongText


@dataclass(frozen=True, slots=True)
class MergerLine:
    """A merger in a list; its grounds are read one by one."""

    merger_id: UUID
    surviving_id: UUID
    merged_id: UUID
    state: MergerState
    requested_by: UUID
    requested_at: datetime
    decided_by: UUID | None
    decided_at: datetime | None

    @classmethod
    def of(cls, merger: Merger) -> Self:
        return cls(**{name: getattr(merger, name) for name in cls.__slots__})


@router.post("/mergers")
async def request_merger(body: RequestMerger, store: StoreDep, actor: MayMerge) -> Merger:
    async with store.begin(actor) as tx:
        return tx.unit.answer(
            await mergers.request_merger(
                tx, surviving_id=body.surviving_id, merged_id=body.merged_id, grounds=body.grounds
            )
        )


@router.get("/mergers")
async def list_mergers(
    store: StoreDep,
    actor: MayReadMerger,
    *,
    state: MergerState | None = None,
    cursor: Cursor = None,
    page_size: PageSize = DEFAULT_SIZE,
) -> Page[MergerLine]:
    async with store.begin(actor) as tx:
        page = await mergers.list_mergers(tx, state=state, cursor=cursor, size=page_size)
    return Page([MergerLine.of(merger) for merger in page.items], page.next_cursor)


@router.get("/mergers/{merger_id}")
async def read_merger(merger_id: UUID, store: StoreDep, actor: MayReadMerger) -> Merger:
    async with store.begin(actor) as tx:
        return await mergers.read_merger(tx, merger_id)


@router.post("/mergers/{merger_id}:confirm")
async def confirm_merger(merger_id: UUID, store: StoreDep, actor: MayMerge) -> Merger:
    async with store.begin(actor) as tx:
        return tx.unit.answer(await mergers.confirm_merger(tx, merger_id))


@router.post("/mergers/{merger_id}:decline")
async def decline_merger(merger_id: UUID, store: StoreDep, actor: MayMerge) -> Merger:
    async with store.begin(actor) as tx:
        return tx.unit.answer(await mergers.decline_merger(tx, merger_id))
