"""Account states at the HTTP door."""

from typing import Annotated
from uuid import UUID

from common.auth import Actor
from common.permissions import Permission
from common.web import Body, Text, may
from fastapi import APIRouter

from accounts.api.terms import STAFF, StoreDep
from accounts.domain.account import Account, AccountKind
from accounts.usecases import states

router = APIRouter(prefix="/v1")

MayManageAccount = Annotated[Actor, may(Permission("accounts:manage_account", STAFF, acr=2, max_age=1800))]


class ChangeState(Body):
    reason: Text


@router.get("/accounts/{kind}/{account_id}")
async def read_account(kind: AccountKind, account_id: UUID, store: StoreDep, actor: MayManageAccount) -> Account:
    async with store.begin(actor) as tx:
        return await states.read_account(tx, kind, account_id)


@router.post("/accounts/{kind}/{account_id}:suspend")
async def suspend_account(
    kind: AccountKind, account_id: UUID, body: ChangeState, store: StoreDep, actor: MayManageAccount
) -> Account:
    async with store.begin(actor) as tx:
        return tx.unit.answer(await states.suspend_account(tx, kind, account_id, reason=body.reason))


@router.post("/accounts/{kind}/{account_id}:reactivate")
async def reactivate_account(
    kind: AccountKind, account_id: UUID, body: ChangeState, store: StoreDep, actor: MayManageAccount
) -> Account:
    async with store.begin(actor) as tx:
        return tx.unit.answer(await states.reactivate_account(tx, kind, account_id, reason=body.reason))


@router.post("/accounts/{kind}/{account_id}:close")
async def close_account(
    kind: AccountKind, account_id: UUID, body: ChangeState, store: StoreDep, actor: MayManageAccount
) -> Account:
    async with store.begin(actor) as tx:
        return tx.unit.answer(await states.close_account(tx, kind, account_id, reason=body.reason))
