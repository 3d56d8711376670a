"""Natural persons at the HTTP door."""

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from common.auth import Actor
from common.paging import DEFAULT_SIZE, Page
from common.permissions import Caller, Permission
from common.web import Body, Text, may
from fastapi import APIRouter

from accounts.api.terms import EVERYBODY, STAFF, Cursor, Number, PageSize, StoreDep
from accounts.domain.access import Access
from accounts.domain.identity import Source
from accounts.domain.person import PersonView, ProofLevel
from accounts.domain.who import WhoAmI
from accounts.usecases import persons

router = APIRouter(prefix="/v1")

MayAskWho = Annotated[Actor, may(Permission("accounts:who_am_i", EVERYBODY))]
MayReadAccessLog = Annotated[Actor, may(Permission("accounts:read_access_log", frozenset({Caller.CITIZEN})))]
MayRegister = Annotated[Actor, may(Permission("accounts:register_person", STAFF, acr=2))]
MayProve = Annotated[Actor, may(Permission("accounts:prove_person", STAFF, acr=2))]
MayReadPerson = Annotated[Actor, may(Permission("accounts:read_person", STAFF))]


class RegisterPerson(Body):
    person_id: UUID | None = None
    name: Text
    id_number: Number
    phone: Number | None = None
    proof_level: ProofLevel = ProofLevel.REGISTERED
    # Where the number comes from: an authority's record may hold one that fails, a person mistypes.
    source: Source = Source.STATED


class ProvePerson(Body):
    proof_level: ProofLevel


class SearchPerson(Body):
    id_number: Number


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


@router.post("/persons/{person_id}:prove")
async def prove_person(person_id: UUID, body: ProvePerson, store: StoreDep, actor: MayProve) -> PersonView:
    async with store.begin(actor) as tx:
        return tx.unit.answer(await persons.prove_person(tx, person_id, body.proof_level))


@router.get("/persons/{person_id}")
async def read_person(person_id: UUID, store: StoreDep, actor: MayReadPerson) -> PersonView:
    async with store.begin(actor) as tx:
        return await persons.read_person(tx, person_id)


@router.post("/persons:search")
async def search_person(body: SearchPerson, store: StoreDep, actor: MayReadPerson) -> Found:
    async with store.begin(actor) as tx:
        return tx.unit.answer(Found(await persons.search_person(tx, body.id_number)))
