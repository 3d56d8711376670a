"""The HTTP door."""

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from common.auth import Actor
from common.paging import DEFAULT_SIZE, MAX_SIZE, Page
from common.permissions import Caller, Permission
from common.web import Body, Text, app_of, may
from fastapi import APIRouter, Depends, Query
from pydantic import AwareDatetime, Field, StringConstraints

from accounts.domain.access import Access
from accounts.domain.identity import Source
from accounts.domain.organisation import Organisation
from accounts.domain.person import PersonView, ProofLevel
from accounts.domain.post import Employee, Post
from accounts.domain.who import EmployeeFile, WhoAmI
from accounts.store import Store
from accounts.usecases import organisations, persons, posts

router = APIRouter(prefix="/v1")

EVERYBODY = frozenset(Caller)
STAFF = frozenset({Caller.OFFICER, Caller.SERVICE})

MayAskWho = Annotated[Actor, may(Permission("accounts:who_am_i", EVERYBODY))]
MayReadAccessLog = Annotated[Actor, may(Permission("accounts:read_access_log", frozenset({Caller.CITIZEN})))]
MayRegister = Annotated[Actor, may(Permission("accounts:register_person", STAFF, acr=2))]
MayReadPerson = Annotated[Actor, may(Permission("accounts:read_person", STAFF))]
MayReadOrganisation = Annotated[Actor, may(Permission("accounts:read_organisation", EVERYBODY))]
MayManageOrganisation = Annotated[Actor, may(Permission("accounts:manage_organisation", STAFF, acr=2))]
MayManageEmployee = Annotated[Actor, may(Permission("accounts:manage_employee", STAFF, acr=2))]
MayManagePost = Annotated[Actor, may(Permission("accounts:manage_post", STAFF, acr=2))]

StoreDep = Annotated[Store, Depends(app_of)]
Cursor = Annotated[str | None, Query(max_length=1024)]
PageSize = Annotated[int, Query(ge=1, le=MAX_SIZE)]
Code = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
RegionCode = Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{5}$")]
PermissionName = Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,40}:[a-z_]{1,60}$")]
Number = Annotated[str, StringConstraints(min_length=1, max_length=40)]


class RegisterPerson(Body):
    person_id: UUID | None = None
    name: Text
    id_number: Number
    phone: Number | None = None
    proof_level: ProofLevel = ProofLevel.REGISTERED
    # Where the number comes from: an authority's record may hold one that fails, a person mistypes.
    source: Source = Source.STATED


class SearchPerson(Body):
    id_number: Number


class FoundOrganisation(Body):
    org_id: UUID | None = None
    parent_id: UUID | None
    code: Code
    name: Text
    department: Code | Annotated[str, StringConstraints(max_length=0)] = ""
    uscc: Number
    region_code: RegionCode


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
    rank: Annotated[int, Field(ge=0, le=100)] = 0
    valid_from: AwareDatetime | None = None
    valid_until: AwareDatetime | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """The persons found: one or none."""

    items: list[PersonView]


@router.get("/me")
async def who_am_i(store: StoreDep, actor: MayAskWho) -> WhoAmI:
    async with store.begin(actor) as tx:
        return await persons.who_am_i(tx)


@router.get("/me/access-log")
async def read_access_log(
    store: StoreDep, actor: MayReadAccessLog, cursor: Cursor = None, page_size: PageSize = DEFAULT_SIZE
) -> Page[Access]:
    async with store.begin(actor) as tx:
        return await persons.read_access_log(tx, cursor=cursor, size=page_size)


@router.post("/persons")
async def register_person(body: RegisterPerson, store: StoreDep, actor: MayRegister) -> PersonView:
    async with store.begin(actor) as tx:
        return tx.unit.answer(
            await persons.register_person(
                tx,
                body.person_id,
                name=body.name,
                id_number=body.id_number,
                phone=body.phone,
                proof_level=body.proof_level,
                source=body.source,
            )
        )


@router.get("/persons/{person_id}")
async def read_person(person_id: UUID, store: StoreDep, actor: MayReadPerson) -> PersonView:
    async with store.begin(actor) as tx:
        return await persons.read_person(tx, person_id)


@router.post("/persons:search")
async def search_person(body: SearchPerson, store: StoreDep, actor: MayReadPerson) -> Found:
    async with store.begin(actor) as tx:
        return tx.unit.answer(Found(await persons.search_person(tx, body.id_number)))


@router.post("/organisations")
async def found_organisation(body: FoundOrganisation, store: StoreDep, actor: MayManageOrganisation) -> Organisation:
    async with store.begin(actor) as tx:
        return tx.unit.answer(
            await organisations.found_organisation(
                tx,
                body.org_id,
                parent_id=body.parent_id,
                code=body.code,
                name=body.name,
                department=body.department,
                uscc=body.uscc,
                region_code=body.region_code,
            )
        )


@router.get("/organisations")
async def list_organisations(
    store: StoreDep,
    actor: MayReadOrganisation,
    *,
    region_code: RegionCode | None = None,
    department: Code | None = None,
    cursor: Cursor = None,
    page_size: PageSize = DEFAULT_SIZE,
) -> Page[Organisation]:
    async with store.begin(actor) as tx:
        return await organisations.list_organisations(
            tx, region_code=region_code, department=department, cursor=cursor, size=page_size
        )


@router.get("/organisations/{org_id}")
async def read_organisation(org_id: UUID, store: StoreDep, actor: MayReadOrganisation) -> Organisation:
    async with store.begin(actor) as tx:
        return await organisations.read_organisation(tx, org_id)


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
                valid_from=body.valid_from,
                valid_until=body.valid_until,
            )
        )


@router.post("/posts/{post_id}:end")
async def end_post(post_id: UUID, store: StoreDep, actor: MayManagePost) -> Post:
    async with store.begin(actor) as tx:
        return tx.unit.answer(await posts.end_post(tx, post_id))
