"""Guardians and their wards at the HTTP door."""

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from common.auth import Actor
from common.permissions import Permission
from common.web import Body, Text, may
from fastapi import APIRouter
from pydantic import AwareDatetime

from accounts.api.terms import STAFF, StoreDep
from accounts.domain.guardianship import Guardianship, GuardianshipBasis
from accounts.usecases import guardianships

router = APIRouter(prefix="/v1")

MayManageGuardianship = Annotated[Actor, may(Permission("accounts:manage_guardianship", STAFF, acr=2))]


class RegisterGuardianship(Body):
    guardianship_id: UUID | None = None
    guardian_id: UUID
    ward_id: UUID
    basis: GuardianshipBasis
    # A certificate's number, a ruling.
    proof: Text
    valid_from: AwareDatetime | None = None
    valid_until: AwareDatetime | None = None


@dataclass(frozen=True, slots=True)
class Guardianships:
    """All guardianships of a person."""

    items: list[Guardianship]


@router.post("/guardianships")
async def register_guardianship(
    body: RegisterGuardianship, store: StoreDep, actor: MayManageGuardianship
) -> Guardianship:
    async with store.begin(actor) as tx:
        return tx.unit.answer(
            await guardianships.register_guardianship(
                tx,
                body.guardianship_id,
                guardian_id=body.guardian_id,
                ward_id=body.ward_id,
                basis=body.basis,
                proof=body.proof,
                valid_from=body.valid_from,
                valid_until=body.valid_until,
            )
        )


@router.get("/persons/{person_id}/guardianships")
async def list_guardianships(person_id: UUID, store: StoreDep, actor: MayManageGuardianship) -> Guardianships:
    async with store.begin(actor) as tx:
        return Guardianships(await guardianships.list_guardianships(tx, person_id))


@router.post("/guardianships/{guardianship_id}:end")
async def end_guardianship(guardianship_id: UUID, store: StoreDep, actor: MayManageGuardianship) -> Guardianship:
    async with store.begin(actor) as tx:
        return tx.unit.answer(await guardianships.end_guardianship(tx, guardianship_id))
