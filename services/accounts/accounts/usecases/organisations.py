"""The verbs about organisations."""

from collections.abc import Collection, Sequence
from uuid import UUID

from common.paging import Page
from common.permissions import Caller

from accounts import events
from accounts.domain import organisation as organisations
from accounts.domain.organisation import LineParentUnknown, Organisation, OrganisationAlreadyFounded, ParentUnknown
from accounts.store import Tx


async def found_organisation(
    tx: Tx,
    org_id: UUID | None,
    *,
    parent_id: UUID | None,
    line_parent_id: UUID | None,
    code: str,
    name: str,
    department: str,
    uscc: str,
    region_code: str,
) -> Organisation:
    """Found an organisation (机构) under one of the caller's scope; only a service founds a root."""
    parent = None if parent_id is None else await tx.organisations.within_scope(parent_id)
    if parent is None and (parent_id is not None or tx.unit.actor.kind is not Caller.SERVICE):
        raise ParentUnknown
    guides = [] if line_parent_id is None else await tx.organisations.find([line_parent_id])
    if line_parent_id is not None and not guides:
        raise LineParentUnknown
    founded = organisations.found(
        org_id or tx.unit.ids(),
        parent=parent,
        line_parent=guides[0] if guides else None,
        code=code,
        name=name,
        department=department,
        uscc=uscc,
        region_code=region_code,
    )
    await tx.organisations.hold(founded)
    known = await tx.organisations.find_same(founded)
    if known:
        if len(known) > 1 or not known[0].same_content(founded, same_id=org_id is not None):
            raise OrganisationAlreadyFounded(org_path=founded.org_path)
        return known[0]
    tx.organisations.add(founded)
    tx.unit.record("accounts.found_organisation", subject=("organisation", str(founded.org_id)))
    tx.unit.emit(events.organisation_changed(founded, at=tx.unit.at))
    return founded


async def read_organisation(tx: Tx, org_id: UUID) -> Organisation:
    """Read one organisation."""
    return await tx.organisations.get(org_id)


async def list_organisations(
    tx: Tx, *, region_code: str | None, department: str | None, cursor: str | None, size: int
) -> Page[Organisation]:
    """List organisations by their path."""
    return await tx.organisations.page(region_code=region_code, department=department, cursor=cursor, size=size)


async def batch_get_organisations(tx: Tx, org_ids: Sequence[UUID]) -> list[Organisation]:
    """Read many organisations at once; those unknown are left out."""
    return await tx.organisations.find(org_ids)


async def find_departments(tx: Tx, region_code: str, departments: Collection[str]) -> list[Organisation]:
    """Find who is each department (部门) in a region, or in the nearest region above it."""
    regions = organisations.region_and_above(region_code)
    return organisations.nearest(await tx.organisations.departments(departments, regions), regions)
