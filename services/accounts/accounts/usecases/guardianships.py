"""The verbs about guardians and their wards. Both read each entry in the access log."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from accounts import events
from accounts.domain import guardianship as guardianships
from accounts.domain import person as persons
from accounts.domain.guardianship import (
    Guardianship,
    GuardianshipAlreadyRegistered,
    GuardianshipBasis,
    PersonUnknown,
    Ward,
)
from accounts.domain.person import Person
from accounts.store import Tx


async def register_guardianship(
    tx: Tx,
    guardianship_id: UUID | None,
    *,
    guardian_id: UUID,
    ward_id: UUID,
    basis: GuardianshipBasis,
    proof: str,
    valid_from: datetime | None,
    valid_until: datetime | None,
) -> Guardianship:
    """Register who acts for a child (监护登记)."""
    known = {person.person_id: person for person in await tx.persons.find([guardian_id, ward_id])}
    registered = guardianships.register(
        guardianship_id or tx.unit.ids(),
        guardian=_known(known, guardian_id),
        ward=_known(known, ward_id),
        basis=basis,
        proof=proof,
        valid_from=valid_from or tx.unit.at,
        valid_until=valid_until,
        at=tx.unit.at,
    )
    await tx.guardianships.hold(registered.guardianship_id)
    already = await tx.guardianships.find(registered.guardianship_id)
    if already is not None:
        if not already.same_content(registered):
            raise GuardianshipAlreadyRegistered(guardianship_id=registered.guardianship_id)
        return already
    tx.guardianships.add(registered)
    _journal(tx, "accounts.register_guardianship", registered)
    return registered


async def end_guardianship(tx: Tx, guardianship_id: UUID) -> Guardianship:
    """End a guardianship (终止监护), from now on."""
    ended = guardianships.end(await tx.guardianships.lock(guardianship_id), at=tx.unit.at)
    tx.guardianships.end(ended)
    _journal(tx, "accounts.end_guardianship", ended)
    return ended


async def list_guardianships(tx: Tx, person_id: UUID) -> list[Guardianship]:
    """List whom a person acts for or who acts for the person, past ones included, for a purpose."""
    purpose = persons.check_purpose(tx.unit.actor.call.purpose)
    person = await tx.persons.get(person_id)
    tx.unit.record(
        "accounts.list_guardianships", subject=("person", str(person_id)), owner=str(person.person_id), purpose=purpose
    )
    return await tx.guardianships.of_person(person_id)


async def check_relations(tx: Tx, person_ids: Collection[UUID]) -> list[Guardianship]:
    """Tell of which of these persons the caller is the guardian now."""
    held = guardianships.held(await tx.guardianships.of_guardian(UUID(tx.unit.actor.id)), tx.unit.at)
    return [each for each in held if each.ward_id in person_ids]


async def wards(tx: Tx, guardian_id: UUID) -> tuple[Ward, ...]:
    """List the children whom a person acts for now, masked."""
    held = guardianships.held(await tx.guardianships.of_guardian(guardian_id), tx.unit.at)
    known = {person.person_id: person for person in await tx.persons.find([each.ward_id for each in held])}
    return tuple(
        Ward(each.guardianship_id, persons.masked(known[each.ward_id], tx.ageing), each.valid_until) for each in held
    )


def _known(known: dict[UUID, Person], person_id: UUID) -> Person:
    if person_id not in known:
        raise PersonUnknown
    return known[person_id]


def _journal(tx: Tx, act: str, guardianship: Guardianship) -> None:
    """Write the act where the child and the guardian will find it."""
    for person_id in (guardianship.ward_id, guardianship.guardian_id):
        tx.unit.record(
            act,
            subject=("guardianship", str(guardianship.guardianship_id)),
            owner=str(person_id),
            details={"version": guardianship.version},
        )
    tx.unit.emit(events.guardianship_changed(guardianship, at=tx.unit.at))
