"""Todos at the HTTP door."""

from dataclasses import dataclass
from datetime import date
from typing import Annotated
from uuid import UUID

from common.auth import Actor
from common.paging import DEFAULT_SIZE, MAX_CURSOR, MAX_SIZE, Page
from common.permissions import Caller, Permission
from common.web import Body, LongText, may
from fastapi import APIRouter, Query
from pydantic import Field

from workbench import usecases
from workbench.api.access import ColleaguesDep, SentencesDep, StoreDep
from workbench.domain.absence import Absence
from workbench.domain.todo import Colour, Kind, State
from workbench.domain.todo_list import Counts, Search, TodoView, Tried

router = APIRouter(prefix="/v1")

OFFICERS = frozenset({Caller.OFFICER})
MayRead = Annotated[Actor, may(Permission("workbench:read_todo", OFFICERS))]
MayClaim = Annotated[Actor, may(Permission("workbench:claim_todo", OFFICERS))]
MayReassign = Annotated[Actor, may(Permission("workbench:reassign_todo", OFFICERS))]
Code = Annotated[str | None, Query(max_length=64)]


class ReturnBody(Body):
    """Why a todo is given back."""

    reason: LongText


class ClaimMany(Body):
    """Which todos are claimed at once."""

    todo_ids: Annotated[tuple[UUID, ...], Field(min_length=1, max_length=100)]


class ReturnMany(ClaimMany):
    """Which todos are given back at once, and why."""

    reason: LongText


@dataclass(frozen=True, slots=True)
class TriedTodos:
    """What became of each todo, in the order in which they were named."""

    items: list[Tried]


class ReassignBody(Body):
    """To whom a todo goes, and which revision of it was seen."""

    post_id: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[0-9A-Za-z_-]+$")]
    revision: Annotated[int, Field(ge=0, lt=2**31)]


class AbsenceBody(Body):
    """The first day on which the post is back."""

    returns_on: date


@router.get("/todos")
async def list_todos(
    *,
    store: StoreDep,
    actor: MayRead,
    state: State = State.OPEN,
    mine: Annotated[bool, Query()] = False,
    line: Annotated[bool, Query()] = False,
    colour: Colour | None = None,
    kind: Kind | None = None,
    matter: Code = None,
    item: Code = None,
    words: Annotated[str | None, Query(min_length=1, max_length=100)] = None,
    cursor: Annotated[str | None, Query(max_length=MAX_CURSOR)] = None,
    page_size: Annotated[int, Query(ge=1, le=MAX_SIZE)] = DEFAULT_SIZE,
) -> Page[TodoView]:
    search = Search(
        state=state,
        post_id=actor.post.id if mine and actor.post else None,
        colour=colour,
        kind=kind,
        matter_code=matter,
        item_code=item,
        words=words,
        line=line,
    )
    async with store.begin(actor) as tx:
        return await usecases.list_todos(tx, search, cursor=cursor, size=page_size)


@router.get("/todos/counts")
async def count_todos(store: StoreDep, actor: MayRead) -> Counts:
    async with store.begin(actor) as tx:
        return await usecases.count_todos(tx)


@router.get("/todos/{todo_id}")
async def read_todo(todo_id: UUID, store: StoreDep, actor: MayRead) -> TodoView:
    async with store.begin(actor) as tx:
        return await usecases.read_todo(tx, todo_id)


@router.post("/todos:claim")
async def claim_todos(body: ClaimMany, store: StoreDep, sentences: SentencesDep, actor: MayClaim) -> TriedTodos:
    async with store.begin(actor) as tx:
        return tx.unit.answer(TriedTodos(await usecases.claim_todos(tx, body.todo_ids, sentences=sentences)))


@router.post("/todos:return")
async def return_todos(body: ReturnMany, store: StoreDep, sentences: SentencesDep, actor: MayClaim) -> TriedTodos:
    async with store.begin(actor) as tx:
        tried = await usecases.return_todos(tx, body.todo_ids, reason=body.reason, sentences=sentences)
        return tx.unit.answer(TriedTodos(tried))


@router.post("/todos/{todo_id}:claim")
async def claim_todo(todo_id: UUID, store: StoreDep, actor: MayClaim) -> TodoView:
    async with store.begin(actor) as tx:
        return tx.unit.answer(await usecases.claim_todo(tx, todo_id))


@router.post("/todos/{todo_id}:return")
async def return_todo(todo_id: UUID, body: ReturnBody, store: StoreDep, actor: MayClaim) -> TodoView:
    async with store.begin(actor) as tx:
        return tx.unit.answer(await usecases.return_todo(tx, todo_id, reason=body.reason))


@router.post("/todos/{todo_id}:reassign")
async def reassign_todo(
    todo_id: UUID, body: ReassignBody, store: StoreDep, colleagues: ColleaguesDep, actor: MayReassign
) -> TodoView:
    to = await colleagues.find(actor, body.post_id)
    async with store.begin(actor) as tx:
        return tx.unit.answer(await usecases.reassign_todo(tx, todo_id, to, revision=body.revision))


@router.get("/absence")
async def read_absence(store: StoreDep, actor: MayClaim) -> Absence:
    async with store.begin(actor) as tx:
        return await usecases.read_absence(tx)


@router.post("/absence")
async def declare_absence(body: AbsenceBody, store: StoreDep, actor: MayClaim) -> Absence:
    async with store.begin(actor) as tx:
        return tx.unit.answer(await usecases.declare_absence(tx, body.returns_on))


@router.post("/absence:end")
async def end_absence(store: StoreDep, actor: MayClaim) -> Absence:
    async with store.begin(actor) as tx:
        return tx.unit.answer(await usecases.end_absence(tx))
