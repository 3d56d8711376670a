"""Consults at the HTTP door."""

from dataclasses import dataclass, replace
from datetime import date
from typing import Annotated
from uuid import UUID

from common.auth import Actor
from common.permissions import Permission
from common.web import Body, LongText, may
from fastapi import APIRouter
from pydantic import Field

from workbench import usecases
from workbench.api.access import ColleaguesDep, SentencesDep, StoreDep
from workbench.api.todos import OFFICERS, MayClaim, MayRead
from workbench.domain.consult import ConsultView

router = APIRouter(prefix="/v1")

MayConsult = Annotated[Actor, may(Permission("workbench:ask_consult", OFFICERS))]


class ConsultBody(Body):
    """Which department of the todo's region is asked what, and by which day."""

    department: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[a-z][a-z0-9_]*$")]
    question: LongText
    due_on: date


class AnswerBody(Body):
    """What the department answers."""

    answer: LongText


@dataclass(frozen=True, slots=True)
class Consults:
    """The consults of a todo, in the order in which they were asked."""

    items: list[ConsultView]


@router.post("/todos/{todo_id}:consult")
async def ask_consult(
    *,
    todo_id: UUID,
    body: ConsultBody,
    store: StoreDep,
    colleagues: ColleaguesDep,
    sentences: SentencesDep,
    actor: MayConsult,
) -> ConsultView:
    # only the act itself is kept as the answer to this request
    reader = replace(actor, call=replace(actor.call, idempotency_key=None))
    async with store.begin(reader) as tx:
        region_code = (await usecases.read_todo(tx, todo_id)).region_code
    department = await colleagues.find_department(actor, region_code, body.department)
    async with store.begin(actor) as tx:
        return tx.unit.answer(
            await usecases.ask_consult(
                tx, todo_id, department, question=body.question, due_on=body.due_on, sentences=sentences
            )
        )


@router.post("/todos/{todo_id}:answer")
async def answer_consult(
    todo_id: UUID, body: AnswerBody, store: StoreDep, sentences: SentencesDep, actor: MayClaim
) -> ConsultView:
    async with store.begin(actor) as tx:
        return tx.unit.answer(await usecases.answer_consult(tx, todo_id, body.answer, sentences=sentences))


@router.get("/todos/{todo_id}/consults")
async def list_consults(todo_id: UUID, store: StoreDep, actor: MayRead) -> Consults:
    async with store.begin(actor) as tx:
        return Consults(await usecases.list_consults(tx, todo_id))
