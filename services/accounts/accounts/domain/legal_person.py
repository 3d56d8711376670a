"""Legal persons (法人) and who acts for them: the legal representative in everything, an agent (经办人) within a range.

Refusal
├── LegalPersonAlreadyRegistered   the code belongs to a record with other content
├── AgentIsRepresentative          the representative needs no appointment
├── AgencyEndsBeforeItBegins
└── AgencyAlreadyOver
Denied
└── AgentNotEntitled               the caller may not act for this legal person in this matter
NotFound
├── LegalPersonNotFound            there is none, or the caller does not represent it
└── AgencyNotFound
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from common.errors import Denied, NotFound, Refusal

from accounts.domain.identity import read_uscc, subject_fits

FIRST_VERSION = 1


class LegalPersonAlreadyRegistered(Refusal):
    """A legal person with this code or id is registered with other content."""


class AgentIsRepresentative(Refusal):
    """The legal representative needs no appointment."""


class AgencyEndsBeforeItBegins(Refusal):
    """An agency ends after it begins, and not in the past."""


class AgencyAlreadyOver(Refusal):
    """The agency is over."""


class AgentNotEntitled(Denied):
    """The caller may not act for this legal person in this matter."""


class LegalPersonNotFound(NotFound):
    """There is no such legal person, or the caller does not represent it."""


class AgencyNotFound(NotFound):
    """There is no such agency of the legal person."""


@dataclass(frozen=True, slots=True)
class LegalPerson:
    """A body with rights of its own, found by its unified social credit code."""

    legal_person_id: UUID
    uscc: str
    # The organisation code within the USCC does not fit its own check character: a warning.
    uscc_doubtful: bool
    name: str
    representative_id: UUID
    version: int


@dataclass(frozen=True, slots=True)
class Agency:
    """What one person may do for one legal person, and until when; no matters named are all matters."""

    agency_id: UUID
    legal_person_id: UUID
    agent_id: UUID
    matters: tuple[str, ...]
    items: tuple[str, ...]
    valid_from: datetime
    valid_until: datetime
    version: int

    def covers(self, matter_code: str, item_code: str, at: datetime) -> bool:
        """Say whether it lets the agent act in an item of a matter now; with no item named, in the whole matter."""
        if not self.valid_from <= at < self.valid_until:
            return False
        return (not self.matters or matter_code in self.matters) and (not self.items or item_code in self.items)

    def gives_matters(self, at: datetime) -> bool:
        """Say whether it lets the agent act in matters as a whole now."""
        return not self.items and self.valid_from <= at < self.valid_until


@dataclass(frozen=True, slots=True)
class Represented:
    """A legal person whom the caller acts for, with the agencies that the caller may see."""

    legal_person: LegalPerson
    as_representative: bool
    agencies: tuple[Agency, ...]


@dataclass(frozen=True, slots=True)
class Entitlement:
    """By what right the caller acts for a legal person: as its representative, or by an agency."""

    legal_person: LegalPerson
    agency: Agency | None
    # The matters in which the caller may act as a whole; None is every matter.
    matters: frozenset[str] | None


def register(legal_person_id: UUID, *, uscc: str, name: str, representative_id: UUID) -> LegalPerson:
    code = read_uscc(uscc)
    return LegalPerson(
        legal_person_id=legal_person_id,
        uscc=code,
        uscc_doubtful=not subject_fits(code),
        name=name,
        representative_id=representative_id,
        version=FIRST_VERSION,
    )


def appoint(
    agency_id: UUID,
    *,
    legal_person: LegalPerson,
    agent_id: UUID,
    matters: Iterable[str],
    items: Iterable[str],
    valid_from: datetime,
    valid_until: datetime,
    at: datetime,
) -> Agency:
    """Appoint an agent within a range, until a day."""
    if agent_id == legal_person.representative_id:
        raise AgentIsRepresentative
    if valid_until <= max(valid_from, at):
        raise AgencyEndsBeforeItBegins
    return Agency(
        agency_id=agency_id,
        legal_person_id=legal_person.legal_person_id,
        agent_id=agent_id,
        matters=tuple(sorted(set(matters))),
        items=tuple(sorted(set(items))),
        valid_from=valid_from,
        valid_until=valid_until,
        version=FIRST_VERSION,
    )


def revoke(agency: Agency, *, at: datetime) -> Agency:
    """Take an agency back, from now on."""
    if agency.valid_until <= at:
        raise AgencyAlreadyOver(agency_id=agency.agency_id)
    return replace(agency, valid_until=max(at, agency.valid_from), version=agency.version + 1)


def entitled(
    legal_person: LegalPerson | None,
    agencies: Iterable[Agency],
    *,
    caller: UUID,
    matter_code: str,
    item_code: str,
    at: datetime,
) -> Entitlement:
    """Tell by what right the caller acts, or refuse; who may not is not told whether there is such a body.

    With no matter named, any matter as a whole is right enough.
    """
    if legal_person is None:
        raise AgentNotEntitled
    if legal_person.representative_id == caller:
        return Entitlement(legal_person, None, None)
    held = [agency for agency in agencies if agency.agent_id == caller]
    whole = [agency for agency in held if agency.gives_matters(at)]
    matters = frozenset(matter for agency in whole for matter in agency.matters)
    fitting = [agency for agency in held if agency.covers(matter_code, item_code, at)] if matter_code else whole
    if not fitting:
        raise AgentNotEntitled
    return Entitlement(legal_person, fitting[0], matters if all(agency.matters for agency in whole) else None)
