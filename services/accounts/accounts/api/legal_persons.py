"""Legal persons and their agents at the HTTP door."""

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from common.auth import Actor
from common.permissions import Permission
from common.web import Body, Text, may
from fastapi import APIRouter
from pydantic import AwareDatetime, Field

from accounts.api.terms import CITIZENS, STAFF, Code, Number, StoreDep
from accounts.domain.legal_person import Agency, LegalPerson, Represented
from accounts.usecases import legal_persons

router = APIRouter(prefix="/v1")

MayRegisterLegalPerson = Annotated[Actor, may(Permission("accounts:register_legal_person", STAFF, acr=2))]
MayReadLegalPersons = Annotated[Actor, may(Permission("accounts:read_own_legal_persons", CITIZENS))]
MayAppointAgent = Annotated[Actor, may(Permission("accounts:appoint_agent", CITIZENS, acr=2, max_age=900))]

Codes = Annotated[tuple[Code, ...], Field(max_length=100)]


class RegisterLegalPerson(Body):
    legal_person_id: UUID | None = None
    uscc: Number
    name: Text
    representative_id: UUID


class AppointAgent(Body):
    """Who may act, in which matters and items: all where none are named."""

    agent_id: UUID
    matters: Codes = ()
    items: Codes = ()
    valid_from: AwareDatetime | None = None
    valid_until: AwareDatetime


@dataclass(frozen=True, slots=True)
class MyLegalPersons:
    """Whom the caller acts for."""

    items: list[Represented]


@router.post("/legal-persons")
async def register_legal_person(
    body: RegisterLegalPerson, store: StoreDep, actor: MayRegisterLegalPerson
) -> LegalPerson:
    async with store.begin(actor) as tx:
        return tx.unit.answer(
            await legal_persons.register_legal_person(
                tx, body.legal_person_id, uscc=body.uscc, name=body.name, representative_id=body.representative_id
            )
        )


@router.get("/me/legal-persons")
async def list_my_legal_persons(store: StoreDep, actor: MayReadLegalPersons) -> MyLegalPersons:
    async with store.begin(actor) as tx:
        return MyLegalPersons(await legal_persons.list_my_legal_persons(tx))


@router.post("/legal-persons/{legal_person_id}/agents")
async def appoint_agent(legal_person_id: UUID, body: AppointAgent, store: StoreDep, actor: MayAppointAgent) -> Agency:
    async with store.begin(actor) as tx:
        return tx.unit.answer(
            await legal_persons.appoint_agent(
                tx,
                legal_person_id,
                agent_id=body.agent_id,
                matters=body.matters,
                items=body.items,
                valid_from=body.valid_from,
                valid_until=body.valid_until,
            )
        )


@router.post("/legal-persons/{legal_person_id}/agents/{agency_id}:revoke")
async def revoke_agent(legal_person_id: UUID, agency_id: UUID, store: StoreDep, actor: MayAppointAgent) -> Agency:
    async with store.begin(actor) as tx:
        return tx.unit.answer(await legal_persons.revoke_agent(tx, legal_person_id, agency_id))
