"""Organisations at the HTTP door."""

from typing import Annotated
from uuid import UUID

from common.auth import Actor
from common.paging import DEFAULT_SIZE, Page
from common.permissions import Permission
from common.web import Body, Text, may
from fastapi import APIRouter
from pydantic import StringConstraints

from accounts.api.terms import EVERYBODY, STAFF, Code, Cursor, Number, PageSize, RegionCode, StoreDep
from accounts.domain.organisation import Organisation
from accounts.usecases import organisations

router = APIRouter(prefix="/v1")

MayReadOrganisation = Annotated[Actor, may(Permission("accounts:read_organisation", EVERYBODY))]
MayManageOrganisation = Annotated[Actor, may(Permission("accounts:manage_organisation", STAFF, acr=2))]


class FoundOrganisation(Body):
    org_id: UUID | None = None
    parent_id: UUID | None
    line_parent_id: UUID | None = None
    code: Code
    name: Text
    department: Code | Annotated[str, StringConstraints(max_length=0)] = ""
    uscc: Number
    region_code: RegionCode


@router.post("/organisations")
async def found_organisation(body: FoundOrganisation, store: StoreDep, actor: MayManageOrganisation) -> Organisation:
    async with store.begin(actor) as tx:
        return tx.unit.answer(
            await organisations.found_organisation(
                tx,
                body.org_id,
                parent_id=body.parent_id,
                line_parent_id=body.line_parent_id,
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
