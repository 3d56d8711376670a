"""Todos at the HTTP door."""

from typing import Annotated
from uuid import UUID

from common.auth import Actor
from common.paging import DEFAULT_SIZE, MAX_CURSOR, MAX_SIZE, Page
from common.permissions import Caller, Permission
from common.web import may
from fastapi import APIRouter, Query

from workbench import usecases
from workbench.api.access import StoreDep
from workbench.domain import Counts, State, TodoView

router = APIRouter(prefix="/v1")

OFFICERS = frozenset({Caller.OFFICER})
MayRead = Annotated[Actor, may(Permission("workbench:read_todo", OFFICERS))]
MayClaim = Annotated[Actor, may(Permission("workbench:claim_todo", OFFICERS))]


@router.get("/todos")
async def list_todos(
    *,
    store: StoreDep,
    actor: MayRead,
    state: State = State.OPEN,
    mine: Annotated[bool, Query()] = False,
    cursor: Annotated[str | None, Query(max_length=MAX_CURSOR)] = None,
    page_size: Annotated[int, Query(ge=1, le=MAX_SIZE)] = DEFAULT_SIZE,
) -> Page[TodoView]:
    async with store.begin(actor) as tx:
        return await usecases.list_todos(tx, state, mine=mine, cursor=cursor, size=page_size)


@router.get("/todos/counts")
async def count_todos(store: StoreDep, actor: MayRead) -> Counts:
    async with store.begin(actor) as tx:
        return await usecases.count_todos(tx)


@router.get("/todos/{todo_id}")
async def read_todo(todo_id: UUID, store: StoreDep, actor: MayRead) -> TodoView:
    async with store.begin(actor) as tx:
        return await usecases.read_todo(tx, todo_id)


@router.post("/todos/{todo_id}:claim")
async def claim_todo(todo_id: UUID, store: StoreDep, actor: MayClaim) -> TodoView:
    async with store.begin(actor) as tx:
        return tx.unit.answer(await usecases.claim_todo(tx, todo_id))
