"""Posts lent to colleagues, at the HTTP door."""

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from common.auth import Actor
from common.permissions import Permission
from common.web import Body, may
from fastapi import APIRouter
from pydantic import AwareDatetime, Field

from accounts.api.terms import OFFICERS, PermissionName, StoreDep
from accounts.domain.delegation import DELEGATE, Delegation
from accounts.usecases import delegations

router = APIRouter(prefix="/v1")

MayDelegatePost = Annotated[Actor, may(Permission(DELEGATE, OFFICERS, acr=2, max_age=1800))]


class DelegatePost(Body):
    """What of the post one acts in is lent; all of it when no permissions are named."""

    delegate_id: UUID
    permissions: Annotated[list[PermissionName], Field(min_length=1, max_length=100)] | None = None
    valid_from: AwareDatetime | None = None
    valid_until: AwareDatetime


@dataclass(frozen=True, slots=True)
class Delegations:
    """What the caller lent."""

    items: list[Delegation]


@router.post("/delegations")
async def delegate_post(body: DelegatePost, store: StoreDep, actor: MayDelegatePost) -> Delegation:
    async with store.begin(actor) as tx:
        return tx.unit.answer(
            await delegations.delegate_post(
                tx,
                delegate_id=body.delegate_id,
                granted=body.permissions,
                valid_from=body.valid_from,
                valid_until=body.valid_until,
            )
        )


@router.get("/delegations")
async def list_delegations(store: StoreDep, actor: MayDelegatePost) -> Delegations:
    async with store.begin(actor) as tx:
        return Delegations(await delegations.list_delegations(tx))


@router.post("/delegations/{delegation_id}:revoke")
async def revoke_delegation(delegation_id: UUID, store: StoreDep, actor: MayDelegatePost) -> Delegation:
    async with store.begin(actor) as tx:
        return tx.unit.answer(await delegations.revoke_delegation(tx, delegation_id))
