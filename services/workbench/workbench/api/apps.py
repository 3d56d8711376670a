"""Apps at the HTTP door."""

from typing import Annotated
from uuid import UUID

from common.auth import Actor
from common.paging import DEFAULT_SIZE, MAX_CURSOR, MAX_SIZE, Page
from common.permissions import Caller, Permission
from common.web import Body, Text, may
from fastapi import APIRouter, Path, Query
from pydantic import AwareDatetime, Field, StringConstraints

from workbench import usecases
from workbench.api.access import AddressesDep, StoreDep
from workbench.domain.app import App, AppKey

router = APIRouter(prefix="/v1")

_KEEPERS = frozenset({Caller.OFFICER, Caller.SERVICE})
MayRead = Annotated[Actor, may(Permission("workbench:read_app", _KEEPERS))]
MayManage = Annotated[Actor, may(Permission("workbench:manage_app", _KEEPERS, acr=2))]
MayApprove = Annotated[Actor, may(Permission("workbench:approve_app", _KEEPERS, acr=2, max_age=1800))]

_CODE = r"^[a-z][a-z0-9_]{0,62}$"
_NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$"
AppCode = Annotated[str, Path(pattern=_CODE)]
_Code = Annotated[str, StringConstraints(pattern=_CODE)]
_Name = Annotated[str, StringConstraints(pattern=_NAME)]
# often a thumbprint of the key (RFC 7638), which may begin with any of its letters
_KeyId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,64}$")]


class KeyBody(Body):
    """A public key as a JWK: EC P-256 or Ed25519."""

    key_id: _KeyId
    jwk: dict[Annotated[str, StringConstraints(max_length=8)], Annotated[str, StringConstraints(max_length=100)]]
    valid_from: AwareDatetime
    valid_until: AwareDatetime


class AppBody(Body):
    """What a department tells about its system."""

    name: Text
    org_id: UUID
    org_path: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*$", max_length=200)]
    region_code: Annotated[str, StringConstraints(pattern=r"^\d{6}$")]
    contact: Text
    address: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    client_id: _Name
    items: Annotated[tuple[_Code, ...], Field(min_length=1, max_length=100)]
    keys: Annotated[tuple[KeyBody, ...], Field(min_length=1, max_length=8)]

    def app(self, code: str) -> App:
        keys = tuple(AppKey(key.key_id, key.jwk, key.valid_from, key.valid_until) for key in self.keys)
        told = {name: getattr(self, name) for name in AppBody.model_fields if name not in {"keys", "items"}}
        return App(code=code, items=tuple(sorted(set(self.items))), keys=keys, **told)


class RegisterApp(AppBody):
    """A new app, with the code that definitions name it by."""

    code: _Code


@router.post("/apps")
async def register_app(body: RegisterApp, store: StoreDep, addresses: AddressesDep, actor: MayManage) -> App:
    async with store.begin(actor) as tx:
        return tx.unit.answer(await usecases.register_app(tx, body.app(body.code), addresses))


@router.get("/apps")
async def list_apps(
    *,
    store: StoreDep,
    actor: MayRead,
    cursor: Annotated[str | None, Query(max_length=MAX_CURSOR)] = None,
    page_size: Annotated[int, Query(ge=1, le=MAX_SIZE)] = DEFAULT_SIZE,
) -> Page[App]:
    async with store.begin(actor) as tx:
        return await usecases.list_apps(tx, cursor=cursor, size=page_size)


@router.get("/apps/{code}")
async def read_app(code: AppCode, store: StoreDep, actor: MayRead) -> App:
    async with store.begin(actor) as tx:
        return await usecases.read_app(tx, code)


@router.put("/apps/{code}")
async def change_app(code: AppCode, body: AppBody, store: StoreDep, addresses: AddressesDep, actor: MayManage) -> App:
    async with store.begin(actor) as tx:
        return tx.unit.answer(await usecases.change_app(tx, body.app(code), addresses))


@router.post("/apps/{code}:approve")
async def approve_app(code: AppCode, store: StoreDep, actor: MayApprove) -> App:
    async with store.begin(actor) as tx:
        return tx.unit.answer(await usecases.approve_app(tx, code))


@router.post("/apps/{code}:suspend")
async def suspend_app(code: AppCode, store: StoreDep, actor: MayApprove) -> App:
    async with store.begin(actor) as tx:
        return tx.unit.answer(await usecases.suspend_app(tx, code))
