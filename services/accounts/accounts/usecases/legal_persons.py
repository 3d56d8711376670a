"""The verbs about legal persons and their agents. Each act names both: the legal person and who acted."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from accounts import events
from accounts.domain import legal_person as legal_persons
from accounts.domain.guardianship import PersonUnknown
from accounts.domain.legal_person import (
    Agency,
    Entitlement,
    LegalPerson,
    LegalPersonAlreadyRegistered,
    Represented,
)
from accounts.store import Tx


async def register_legal_person(
    tx: Tx, legal_person_id: UUID | None, *, uscc: str, name: str, representative_id: UUID
) -> LegalPerson:
    """Register a legal person (法人登记) with its legal representative; the same again is the same record."""
    registered = legal_persons.register(
        legal_person_id or tx.unit.ids(), uscc=uscc, name=name, representative_id=representative_id
    )
    await tx.legal_persons.hold(registered)
    known = await tx.legal_persons.find_same(registered)
    if known:
        same_id = registered.legal_person_id if legal_person_id else known[0].legal_person_id
        if len(known) > 1 or known[0] != replace(registered, legal_person_id=same_id):
            raise LegalPersonAlreadyRegistered
        return known[0]
    if await tx.persons.survivors([representative_id]) != {representative_id: representative_id}:
        raise PersonUnknown
    tx.legal_persons.add(registered)
    tx.unit.record(
        "accounts.register_legal_person",
        subject=("legal_person", str(registered.legal_person_id)),
        owner=str(representative_id),
    )
    tx.unit.emit(events.legal_person_registered(registered, at=tx.unit.at))
    return registered


async def list_my_legal_persons(tx: Tx) -> list[Represented]:
    """List whom the caller acts for: the representative sees all agents, an agent his or her own part."""
    caller = UUID(tx.unit.actor.id)
    found = await tx.legal_persons.of_person(caller)
    agencies = await tx.legal_persons.agencies([each.legal_person_id for each in found])
    return [
        Represented(
            each,
            each.representative_id == caller,
            tuple(
                agency
                for agency in agencies
                if agency.legal_person_id == each.legal_person_id
                and caller in (each.representative_id, agency.agent_id)
            ),
        )
        for each in found
    ]


async def appoint_agent(
    tx: Tx,
    legal_person_id: UUID,
    *,
    agent_id: UUID,
    matters: Collection[str],
    items: Collection[str],
    valid_from: datetime | None,
    valid_until: datetime,
) -> Agency:
    """Appoint an agent (委托经办人): the legal representative alone may."""
    legal_person = await tx.legal_persons.represented(legal_person_id, UUID(tx.unit.actor.id))
    agency = legal_persons.appoint(
        tx.unit.ids(),
        legal_person=legal_person,
        agent_id=agent_id,
        matters=matters,
        items=items,
        valid_from=valid_from or tx.unit.at,
        valid_until=valid_until,
        at=tx.unit.at,
    )
    if await tx.persons.survivors([agent_id]) != {agent_id: agent_id}:
        raise PersonUnknown
    tx.legal_persons.appoint(agency)
    _journal(tx, "accounts.appoint_agent", legal_person, agency)
    return agency


async def revoke_agent(tx: Tx, legal_person_id: UUID, agency_id: UUID) -> Agency:
    """Take an agency back (撤销经办人)."""
    legal_person = await tx.legal_persons.represented(legal_person_id, UUID(tx.unit.actor.id))
    revoked = legal_persons.revoke(await tx.legal_persons.lock_agency(legal_person_id, agency_id), at=tx.unit.at)
    tx.legal_persons.revoke(revoked)
    _journal(tx, "accounts.revoke_agent", legal_person, revoked)
    return revoked


async def check_agent(
    tx: Tx, *, uscc: str, legal_person_id: UUID | None, matter_code: str, item_code: str
) -> Entitlement:
    """Tell by what right the caller acts for a legal person in a matter, or refuse; the answer is on record."""
    legal_person = await tx.legal_persons.named(legal_person_id, uscc)
    agencies = await tx.legal_persons.agencies([legal_person.legal_person_id]) if legal_person else []
    entitlement = legal_persons.entitled(
        legal_person,
        agencies,
        caller=UUID(tx.unit.actor.id),
        matter_code=matter_code,
        item_code=item_code,
        at=tx.unit.at,
    )
    tx.unit.record(
        "accounts.check_agent",
        subject=("legal_person", str(entitlement.legal_person.legal_person_id)),
        owner=str(entitlement.legal_person.representative_id),
        details={
            "uscc": entitlement.legal_person.uscc,
            "agency_id": str(entitlement.agency.agency_id) if entitlement.agency else None,
            "matter_code": matter_code,
        },
    )
    return entitlement


def _journal(tx: Tx, act: str, legal_person: LegalPerson, agency: Agency) -> None:
    tx.unit.record(
        act,
        subject=("agency", str(agency.agency_id)),
        owner=str(agency.agent_id),
        details={"uscc": legal_person.uscc, "version": agency.version},
    )
    tx.unit.emit(events.agent_changed(agency, at=tx.unit.at))
