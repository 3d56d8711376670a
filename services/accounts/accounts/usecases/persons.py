"""The verbs about natural persons. Every read of somebody else's data is journalled, with its purpose."""

from collections.abc import Sequence
from uuid import UUID

from common.paging import Page
from common.permissions import Caller

from accounts import events
from accounts.domain import person as persons
from accounts.domain import post as posts
from accounts.domain.access import Access
from accounts.domain.identity import Source, normal_id_number
from accounts.domain.person import Person, PersonAlreadyRegistered, PersonView, ProofLevel
from accounts.domain.who import WhoAmI
from accounts.store import Tx
from accounts.usecases import guardianships

# Lets a post or a service see a person in full.
REVEAL = "accounts:reveal_person"


async def register_person(
    tx: Tx,
    person_id: UUID | None,
    *,
    name: str,
    id_number: str,
    phone: str | None,
    proof_level: ProofLevel,
    source: Source,
) -> PersonView:
    """Register a person (登记); the same person again is the same record, another content is refused."""
    person = persons.register(
        person_id or tx.unit.ids(),
        name=name,
        id_number=id_number,
        phone=phone,
        proof_level=proof_level,
        source=source,
        at=tx.unit.at,
    )
    await tx.persons.hold(person)
    known = await tx.persons.find_same(person)
    if known:
        same = len(known) == 1 and known[0].same_content(person) and person_id in (None, known[0].person_id)
        if not same:
            raise PersonAlreadyRegistered
        return persons.masked(await tx.persons.get(known[0].person_id), tx.ageing)
    tx.persons.add(person)
    _journal(tx, "accounts.register_person", person, purpose=None, in_full=False)
    tx.unit.emit(events.person_registered(person, at=tx.unit.at))
    return persons.masked(person, tx.ageing)


async def prove_person(tx: Tx, person_id: UUID, level: ProofLevel) -> PersonView:
    """Keep that a person was identified just now (核验): at a counter, or by a look at the face."""
    seen = await tx.persons.get(person_id)
    proven = persons.prove(seen, level, tx.ageing)
    tx.persons.keep_proof(seen, proven)
    tx.unit.record(
        "accounts.prove_person",
        subject=("person", str(person_id)),
        owner=str(person_id),
        details={"proof_level": level.value},
    )
    return persons.masked(proven, tx.ageing)


async def read_person(tx: Tx, person_id: UUID) -> PersonView:
    """Read a person for a purpose: masked, or in full to whom the permission to reveal was given."""
    purpose = persons.check_purpose(tx.unit.actor.call.purpose)
    person = await tx.persons.get(person_id)
    in_full = _may_reveal(tx)
    _journal(tx, "accounts.read_person", person, purpose=purpose, in_full=in_full)
    return persons.in_full(person, tx.ageing) if in_full else persons.masked(person, tx.ageing)


async def search_person(tx: Tx, id_number: str) -> list[PersonView]:
    """Find the person with an identity number; masked always, and a miss is journalled too."""
    purpose = persons.check_purpose(tx.unit.actor.call.purpose)
    person = await tx.persons.find_by_number(normal_id_number(id_number))
    if person is None:
        tx.unit.record("accounts.search_person", subject=("person", ""), purpose=purpose, details={"found": False})
        return []
    _journal(tx, "accounts.search_person", person, purpose=purpose, in_full=False)
    return [persons.masked(person, tx.ageing)]


async def batch_get_persons(tx: Tx, person_ids: Sequence[UUID], *, purpose: str) -> list[PersonView]:
    """Read many persons at once, masked; those unknown are left out."""
    why = persons.check_purpose(purpose)
    found = await tx.persons.find(person_ids)
    for person in found:
        _journal(tx, "accounts.read_person", person, purpose=why, in_full=False)
    return [persons.masked(person, tx.ageing) for person in found]


async def who_am_i(tx: Tx) -> WhoAmI:
    """Tell the caller who he or she is; one's own reading is no entry in the access log."""
    actor = tx.unit.actor
    match actor.kind:
        case Caller.CITIZEN:
            person = persons.to_oneself(await tx.persons.get(UUID(actor.id)), tx.ageing)
            wards = await guardianships.wards(tx, person.person_id)
            return WhoAmI(kind=actor.kind.value, person=person, wards=wards)
        case Caller.OFFICER:
            employee = await tx.employees.find(UUID(actor.id))
            held = posts.held(await tx.posts.of_employee(UUID(actor.id)), tx.unit.at)
            return WhoAmI(kind=actor.kind.value, employee=employee, posts=tuple(held))
        case Caller.SERVICE:
            return WhoAmI(kind=actor.kind.value)


async def read_access_log(tx: Tx, *, cursor: str | None, size: int) -> Page[Access]:
    """List who read or changed the caller's own data."""
    return await tx.access.page(tx.unit.actor.id, cursor=cursor, size=size)


def _may_reveal(tx: Tx) -> bool:
    actor = tx.unit.actor
    return REVEAL in (actor.post.permissions if actor.post else actor.roles)


def _journal(tx: Tx, act: str, person: Person, *, purpose: str | None, in_full: bool) -> None:
    tx.unit.record(
        act,
        subject=("person", str(person.person_id)),
        owner=str(person.person_id),
        purpose=purpose,
        details={"in_full": in_full},
    )
