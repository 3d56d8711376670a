"""Messages between officers at the HTTP door."""

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from common.auth import Actor
from common.paging import DEFAULT_SIZE, MAX_CURSOR, MAX_SIZE, Page
from common.permissions import Permission
from common.web import Body, LongText, may
from fastapi import APIRouter, Query
from pydantic import Field, StringConstraints

from workbench import usecases
from workbench.api.access import ColleaguesDep, SentencesDep, StoreDep
from workbench.api.todos import OFFICERS
from workbench.domain.sending import Receipt, SentMessage

router = APIRouter(prefix="/v1")

MaySend = Annotated[Actor, may(Permission("workbench:send_message", OFFICERS))]
_Department = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
_PostId = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z_-]{1,64}$")]


class MessageBody(Body):
    """What is told to whom: all posts of departments of one's region, or posts by id."""

    text: LongText
    departments: Annotated[tuple[_Department, ...], Field(max_length=20)] = ()
    post_ids: Annotated[tuple[_PostId, ...], Field(max_length=200)] = ()


@dataclass(frozen=True, slots=True)
class Receipts:
    """Who received a message."""

    items: list[Receipt]


@router.post("/messages")
async def send_message(
    *, body: MessageBody, store: StoreDep, colleagues: ColleaguesDep, sentences: SentencesDep, actor: MaySend
) -> SentMessage:
    region_code = actor.post.region_code if actor.post else ""
    found = await colleagues.find_receivers(region_code, body.departments, body.post_ids)
    async with store.begin(actor) as tx:
        sent = await usecases.send_to_colleagues(tx, body.text, found, body.post_ids, sentences=sentences)
        return tx.unit.answer(sent)


@router.get("/messages/sent")
async def list_sent(
    *,
    store: StoreDep,
    actor: MaySend,
    cursor: Annotated[str | None, Query(max_length=MAX_CURSOR)] = None,
    page_size: Annotated[int, Query(ge=1, le=MAX_SIZE)] = DEFAULT_SIZE,
) -> Page[SentMessage]:
    async with store.begin(actor) as tx:
        return await usecases.list_sent(tx, cursor=cursor, size=page_size)


@router.get("/messages/{message_id}/receipts")
async def list_receipts(message_id: UUID, store: StoreDep, actor: MaySend) -> Receipts:
    async with store.begin(actor) as tx:
        return Receipts(await usecases.list_receipts(tx, message_id))


@router.post("/messages/{message_id}:recall")
async def recall_message(message_id: UUID, store: StoreDep, actor: MaySend) -> SentMessage:
    async with store.begin(actor) as tx:
        return tx.unit.answer(await usecases.recall_message(tx, message_id))
