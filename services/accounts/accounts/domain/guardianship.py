"""Guardianship (监护): who acts for a child, on which ground, until when.

Refusal
├── GuardianshipAlreadyRegistered      the id belongs to a record with other content
├── GuardianshipAlreadyEnded
├── GuardianshipEndsBeforeItBegins
├── GuardianOfOneself
├── GuardianUnderAge                   a child guards nobody
└── WardOfAge                          who has come of age acts for himself or herself
NotFound
└── GuardianshipNotFound
Invalid
└── PersonUnknown                      a person named is not registered
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from uuid import UUID

from common.errors import Invalid, NotFound, Refusal

from accounts.domain.person import CHINA, Person, PersonView

FULL_AGE = 18
FIRST_VERSION = 1


class GuardianshipAlreadyRegistered(Refusal):
    """A guardianship with this id is registered with other content."""


class GuardianshipAlreadyEnded(Refusal):
    """The guardianship has ended."""


class GuardianshipEndsBeforeItBegins(Refusal):
    """A guardianship ends after it begins."""


class GuardianOfOneself(Refusal):
    """Nobody is his or her own guardian."""


class GuardianUnderAge(Refusal):
    """A guardian is of age."""


class WardOfAge(Refusal):
    """The ward has come of age."""


class GuardianshipNotFound(NotFound):
    """There is no such guardianship."""


class PersonUnknown(Invalid):
    """A person named is not registered."""


class GuardianshipBasis(StrEnum):
    """The ground in law (民法典 Art. 27, 29 to 31)."""

    PARENT = "parent"
    RELATIVE = "relative"
    WILL = "will"
    AGREEMENT = "agreement"
    APPOINTED = "appointed"


@dataclass(frozen=True, slots=True)
class Guardianship:
    """One guardian's right to act for one child."""

    guardianship_id: UUID
    guardian_id: UUID
    ward_id: UUID
    basis: GuardianshipBasis
    # What it was proven by: a certificate's number, a ruling.
    proof: str = field(repr=False)
    valid_from: datetime
    # Never later than the ward comes of age.
    valid_until: datetime
    version: int

    def holds(self, at: datetime) -> bool:
        return self.valid_from <= at < self.valid_until

    def same_content(self, other: "Guardianship") -> bool:
        """Say whether both say the same; when it began is not compared: a repeated request comes later."""
        return replace(self, valid_from=other.valid_from, version=other.version) == other


@dataclass(frozen=True, slots=True)
class Ward:
    """A child whom the caller acts for, as shown to the guardian."""

    guardianship_id: UUID
    person: PersonView
    valid_until: datetime


def register(
    guardianship_id: UUID,
    *,
    guardian: Person,
    ward: Person,
    basis: GuardianshipBasis,
    proof: str,
    valid_from: datetime,
    valid_until: datetime | None,
    at: datetime,
) -> Guardianship:
    """Register who acts for a child; it ends by itself when the child comes of age."""
    if guardian.person_id == ward.person_id:
        raise GuardianOfOneself
    if comes_of_age(guardian.id_number.born) > at:
        raise GuardianUnderAge
    majority = comes_of_age(ward.id_number.born)
    if majority <= at:
        raise WardOfAge
    until = majority if valid_until is None else min(valid_until, majority)
    if until <= valid_from:
        raise GuardianshipEndsBeforeItBegins
    return Guardianship(
        guardianship_id=guardianship_id,
        guardian_id=guardian.person_id,
        ward_id=ward.person_id,
        basis=basis,
        proof=proof,
        valid_from=valid_from,
        valid_until=until,
        version=FIRST_VERSION,
    )


def end(guardianship: Guardianship, *, at: datetime) -> Guardianship:
    """End a guardianship; one that has not begun ends before it begins, and never holds."""
    if guardianship.valid_until <= at:
        raise GuardianshipAlreadyEnded(guardianship_id=guardianship.guardianship_id)
    return replace(guardianship, valid_until=max(at, guardianship.valid_from), version=guardianship.version + 1)


def held(guardianships: Iterable[Guardianship], at: datetime) -> list[Guardianship]:
    """List those that hold now, one for each ward: the one that holds longest."""
    longest: dict[UUID, Guardianship] = {}
    for each in sorted(guardianships, key=lambda each: (each.valid_until, each.guardianship_id)):
        if each.holds(at):
            longest[each.ward_id] = each
    return list(longest.values())


def comes_of_age(born: date) -> datetime:
    """Tell the moment of full age: the day after the eighteenth birthday begins (民法典 Art. 201 and 202).

    The day of birth is not counted, and where a month lacks the day its last day stands for it.
    """
    # Eighteen years after a leap year is never one.
    day = 28 if (born.month, born.day) == (2, 29) else born.day
    birthday = date(born.year + FULL_AGE, born.month, day)
    return datetime.combine(birthday + timedelta(days=1), time(), CHINA).astimezone(UTC)
