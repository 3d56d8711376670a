"""Natural persons (自然人): how they are registered, and what of them is shown.

Refusal
├── PersonAlreadyRegistered   the id or the identity number belongs to a record with other content
├── ProofWeakerThanHeld       what is known already is surer
NotFound
└── PersonNotFound
Invalid
└── PurposeMissing            personal data is read for a purpose or not at all
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import IntEnum
from uuid import UUID
from zoneinfo import ZoneInfo

from common.errors import Invalid, NotFound, Refusal

from accounts.domain.identity import (
    IdNumber,
    NumberFlag,
    Source,
    mask_name,
    mask_number,
    mask_phone,
    read_id_number,
    read_phone,
)

CHINA = ZoneInfo("Asia/Shanghai")


class PersonAlreadyRegistered(Refusal):
    """A person with this id or identity number is registered with other content."""


class ProofWeakerThanHeld(Refusal):
    """The person is known more surely than this proof says."""


class PersonNotFound(NotFound):
    """There is no such person."""


class PurposeMissing(Invalid):
    """Personal data is read for a purpose; name it."""


class ProofLevel(IntEnum):
    """How well a person's identity was proven."""

    ANONYMOUS = 0
    REGISTERED = 1
    REAL_NAME = 2
    REAL_PERSON = 3
    STRONG = 4


@dataclass(frozen=True, slots=True)
class Person:
    """A natural person; nothing of it is shown by accident."""

    person_id: UUID
    name: str = field(repr=False)
    id_number: IdNumber = field(repr=False)
    phone: str | None = field(repr=False)
    proof_level: ProofLevel
    proof_obtained_at: datetime

    def same_content(self, other: "Person") -> bool:
        """Say whether both say the same, whenever they were registered."""
        return (self.name, self.id_number, self.phone, self.proof_level) == (
            other.name,
            other.id_number,
            other.phone,
            other.proof_level,
        )


@dataclass(frozen=True, slots=True)
class Ageing:
    """How long a proof of each level lasts, and what time it is. What is not named lasts for good."""

    lasts: Mapping[ProofLevel, timedelta]
    at: datetime

    def expires_at(self, person: Person) -> datetime | None:
        lasts = self.lasts.get(person.proof_level)
        return None if lasts is None else person.proof_obtained_at + lasts

    def level(self, person: Person) -> ProofLevel:
        """How surely the person is known now: when the look at the face is too long ago, the name is still true."""
        expires_at = self.expires_at(person)
        if expires_at is None or self.at < expires_at:
            return person.proof_level
        return min(person.proof_level, ProofLevel.REAL_NAME)


@dataclass(frozen=True, slots=True)
class PersonView:
    """What is shown of a person."""

    person_id: UUID
    name: str = field(repr=False)
    id_number: str = field(repr=False)
    phone: str | None = field(repr=False)
    proof_level: ProofLevel
    proof_obtained_at: datetime
    # from then on the level is lower than it was proven to be
    proof_expires_at: datetime | None
    number_flag: NumberFlag | None
    masked: bool


def register(
    person_id: UUID,
    *,
    name: str,
    id_number: str,
    phone: str | None,
    proof_level: ProofLevel,
    source: Source,
    at: datetime,
) -> Person:
    """Make a person of what was stated or of what an authority's record holds."""
    return Person(
        person_id=person_id,
        name=name,
        id_number=read_id_number(id_number, source=source, on=at.astimezone(CHINA).date()),
        phone=None if phone is None else read_phone(phone),
        proof_level=proof_level,
        proof_obtained_at=at,
    )


def prove(person: Person, level: ProofLevel, ageing: Ageing) -> Person:
    """Know a person as surely as was just proven (核验): anew, or more surely; never less surely."""
    held = ageing.level(person)
    if level < held:
        raise ProofWeakerThanHeld(held=held.value)
    return replace(person, proof_level=level, proof_obtained_at=ageing.at)


def masked(person: Person, ageing: Ageing) -> PersonView:
    """Show a person (掩码) as far as is enough to recognise somebody known."""
    return PersonView(
        person_id=person.person_id,
        name=mask_name(person.name),
        id_number=mask_number(person.id_number.text),
        phone=None if person.phone is None else mask_phone(person.phone),
        proof_level=ageing.level(person),
        proof_obtained_at=person.proof_obtained_at,
        proof_expires_at=ageing.expires_at(person),
        number_flag=person.id_number.flag,
        masked=True,
    )


def in_full(person: Person, ageing: Ageing) -> PersonView:
    return PersonView(
        person_id=person.person_id,
        name=person.name,
        id_number=person.id_number.text,
        phone=person.phone,
        proof_level=ageing.level(person),
        proof_obtained_at=person.proof_obtained_at,
        proof_expires_at=ageing.expires_at(person),
        number_flag=person.id_number.flag,
        masked=False,
    )


def to_oneself(person: Person, ageing: Ageing) -> PersonView:
    """Show a person to himself or herself: the name in full, numbers still masked for who looks over the shoulder."""
    view = masked(person, ageing)
    return PersonView(
        person_id=view.person_id,
        name=person.name,
        id_number=view.id_number,
        phone=view.phone,
        proof_level=view.proof_level,
        proof_obtained_at=view.proof_obtained_at,
        proof_expires_at=view.proof_expires_at,
        number_flag=view.number_flag,
        masked=True,
    )


def check_purpose(purpose: str | None) -> str:
    """Refuse a reader who does not say what for."""
    if not purpose:
        raise PurposeMissing
    return purpose
