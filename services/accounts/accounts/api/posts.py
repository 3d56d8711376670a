"""Employees and their posts at the HTTP door."""

from typing import Annotated
from uuid import UUID

from common.auth import Actor
from common.paging import DEFAULT_SIZE, Page
from common.permissions import Permission
from common.web import Body, Text, may
from fastapi import APIRouter
from pydantic import AwareDatetime, Field

from accounts.api.terms import STAFF, Cursor, PageSize, PermissionName, StoreDep
from accounts.domain.post import Employee, Post
from accounts.domain.who import EmployeeFile
from accounts.usecases import posts

router = APIRouter(prefix="/v1")

MayManageEmployee = Annotated[Actor, may(Permission("accounts:manage_employee", STAFF, acr=2))]
MayManagePost = Annotated[Actor, may(Permission("accounts:manage_post", STAFF, acr=2, max_age=1800))]
Rank = Annotated[int, Field(ge=0, le=100)]


class Employ(Body):
    employee_id: UUID | None = None
    name: Text
    org_id: UUID


class GivePost(Body):
    post_id: UUID | None = None
    employee_id: UUID
    org_id: UUID
    title: Text
    permissions: Annotated[list[PermissionName], Field(max_length=100)]
    rank: Rank = 0
    # Sees, in lists, the departments of its kind below along the professional line.
    line: bool = False
    valid_from: AwareDatetime | None = None
    valid_until: AwareDatetime | None = None


class RankPost(Body):
    rank: Rank


@router.post("/employees")
async def employ(body: Employ, store: StoreDep, actor: MayManageEmployee) -> Employee:
    async with store.begin(actor) as tx:
        return tx.unit.answer(await posts.employ(tx, body.employee_id, name=body.name, org_id=body.org_id))


@router.get("/employees")
async def list_employees(
    store: StoreDep, actor: MayManageEmployee, cursor: Cursor = None, page_size: PageSize = DEFAULT_SIZE
) -> Page[Employee]:
    async with store.begin(actor) as tx:
        return await posts.list_employees(tx, cursor=cursor, size=page_size)


@router.get("/employees/{employee_id}")
async def read_employee(employee_id: UUID, store: StoreDep, actor: MayManageEmployee) -> EmployeeFile:
    async with store.begin(actor) as tx:
        return await posts.read_employee(tx, employee_id)


@router.post("/posts")
async def give_post(body: GivePost, store: StoreDep, actor: MayManagePost) -> Post:
    async with store.begin(actor) as tx:
        return tx.unit.answer(
            await posts.give_post(
                tx,
                body.post_id,
                employee_id=body.employee_id,
                org_id=body.org_id,
                title=body.title,
                granted=body.permissions,
                rank=body.rank,
                line=body.line,
                valid_from=body.valid_from,
                valid_until=body.valid_until,
            )
        )


@router.post("/posts/{post_id}:rank")
async def rank_post(post_id: UUID, body: RankPost, store: StoreDep, actor: MayManagePost) -> Post:
    async with store.begin(actor) as tx:
        return tx.unit.answer(await posts.rank_post(tx, post_id, body.rank))


@router.post("/posts/{post_id}:end")
async def end_post(post_id: UUID, store: StoreDep, actor: MayManagePost) -> Post:
    async with store.begin(actor) as tx:
        return tx.unit.answer(await posts.end_post(tx, post_id))
