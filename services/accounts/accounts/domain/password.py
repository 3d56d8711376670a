"""A password that was changed (改密): whoever was let in by the old one is shown out."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

# no log-in lives longer than a realm lets it: whoever begins to look need not look back further
LOOK_BACK = timedelta(hours=12)
# an event is told a moment after its time, and by several servers not in order
OVERLAP = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class PasswordChange:
    """When somebody's password was changed, and in which log-in; in none if another person set it."""

    user: str
    at: datetime
    session: str | None


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """A log-in that lives."""

    session: str
    began: datetime


def by_the_old_one(change: PasswordChange, living: Iterable[LoggedIn]) -> list[str]:
    """Which log-ins a change ends: those begun before it, but not the one that it was made in.

    The log-in server tells in which second a log-in began: one of the change's own second is taken for an older one.
    """
    return [each.session for each in living if each.began <= change.at and each.session != change.session]


def told_since(since: datetime, changes: Iterable[PasswordChange]) -> datetime:
    """Where to look on from, by the log-in server's own clock."""
    return max((since, *(each.at - OVERLAP for each in changes)))
