"""The rules of absence (离岗): whoever is away holds no todo and is given none.

Refusal
├── PostAbsent          the post is away for now
└── Invalid
    └── AbsenceInvalid  the day of return lies behind, or too far ahead
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from common.errors import Invalid, Refusal

LONGEST = timedelta(days=366)


class PostAbsent(Refusal):
    """The post is away, and takes no todo."""


class AbsenceInvalid(Invalid):
    """The day of return is not one of the coming year."""


@dataclass(frozen=True, slots=True)
class Absence:
    """Until when a post is away: it is back on the day named; None when it is there."""

    returns_on: date | None


def declare(returns_on: date, *, today: date) -> Absence:
    """Say that a post is away until a day (离岗)."""
    if not today < returns_on <= today + LONGEST:
        raise AbsenceInvalid
    return Absence(returns_on)


def check_present(absence: Absence, *, post_title: str, at: datetime) -> None:
    """Refuse to give work to a post that is away at the moment, in its own local time."""
    if absence.returns_on is not None and at.date() < absence.returns_on:
        raise PostAbsent(post=post_title, returns_on=absence.returns_on.isoformat())
