"""Messages at the HTTP door."""

from typing import Annotated
from uuid import UUID

from common.auth import Actor
from common.paging import DEFAULT_SIZE, MAX_CURSOR, MAX_SIZE, Page
from common.permissions import Caller, Permission
from fastapi import APIRouter, Depends, Query

from workbench import usecases
from workbench.api.access import MayFor, SentencesDep, StoreDep
from workbench.domain.message import MessageView, Unread

router = APIRouter(prefix="/v1")

READ_MESSAGE = Permission("workbench:read_message", frozenset({Caller.CITIZEN, Caller.OFFICER}))
MayReadMessageFor = Annotated[Actor, Depends(MayFor(READ_MESSAGE))]


@router.get("/messages")
async def list_messages(
    *,
    store: StoreDep,
    sentences: SentencesDep,
    actor: MayReadMessageFor,
    unread: Annotated[bool, Query()] = False,
    cursor: Annotated[str | None, Query(max_length=MAX_CURSOR)] = None,
    page_size: Annotated[int, Query(ge=1, le=MAX_SIZE)] = DEFAULT_SIZE,
) -> Page[MessageView]:
    async with store.begin(actor) as tx:
        return await usecases.list_messages(tx, unread=unread, cursor=cursor, size=page_size, sentences=sentences)


@router.get("/messages/counts")
async def count_unread(store: StoreDep, actor: MayReadMessageFor) -> Unread:
    async with store.begin(actor) as tx:
        return await usecases.count_unread(tx)


@router.post("/messages/{message_id}:read")
async def read_message(
    message_id: UUID, store: StoreDep, sentences: SentencesDep, actor: MayReadMessageFor
) -> MessageView:
    async with store.begin(actor) as tx:
        return tx.unit.answer(await usecases.read_message(tx, message_id, sentences))
