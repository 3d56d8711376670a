"""Mergers (合并重复人员): two records of one person become one, on the word of two officers.

Refusal
├── MergerOfOnePerson          a person is no duplicate of himself or herself
├── MergerAlreadyRequested     one of the two is named in a request that is open
├── MergerAlreadyDecided
├── PersonAlreadyMerged        one of the two is no record of its own any more
├── AccountNotActive           who is suspended or closed is judged first
└── MergerOfWard               a guardian and the ward are two persons
Denied
└── SecondOfficerNeeded        nobody decides on the own request
NotFound
└── MergerNotFound
"""

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from common.errors import Denied, NotFound, Refusal

from accounts.domain.account import Account, AccountState


class MergerOfOnePerson(Refusal):
    """A merger names two persons."""


class MergerAlreadyRequested(Refusal):
    """One of the two persons is named in an open request."""


class MergerAlreadyDecided(Refusal):
    """The request was decided on."""


class PersonAlreadyMerged(Refusal):
    """One of the two persons was merged into another."""


class AccountNotActive(Refusal):
    """Both accounts must be active to be merged."""


class MergerOfWard(Refusal):
    """One of the two persons is the guardian of the other."""


class SecondOfficerNeeded(Denied):
    """Another officer than the one who asked decides."""


class MergerNotFound(NotFound):
    """There is no such merger."""


class MergerState(StrEnum):
    REQUESTED = "requested"
    CONFIRMED = "confirmed"
    DECLINED = "declined"


@dataclass(frozen=True, slots=True)
class Merger:
    """That one record is the same person as another, as one officer says and a second decides."""

    merger_id: UUID
    surviving_id: UUID
    merged_id: UUID
    grounds: str = field(repr=False)
    requested_by: UUID
    requested_at: datetime
    state: MergerState = MergerState.REQUESTED
    decided_by: UUID | None = None
    decided_at: datetime | None = None


def request(
    merger_id: UUID, *, surviving_id: UUID, merged_id: UUID, grounds: str, officer: UUID, at: datetime
) -> Merger:
    """Ask for a merger; which of the two survives is the officer's choice."""
    if surviving_id == merged_id:
        raise MergerOfOnePerson
    return Merger(
        merger_id=merger_id,
        surviving_id=surviving_id,
        merged_id=merged_id,
        grounds=grounds,
        requested_by=officer,
        requested_at=at,
    )


def decide(merger: Merger, state: MergerState, *, officer: UUID, at: datetime) -> Merger:
    """Decide on a request, as somebody else than who asked."""
    if merger.state is not MergerState.REQUESTED:
        raise MergerAlreadyDecided(merger_id=merger.merger_id)
    if merger.requested_by == officer:
        raise SecondOfficerNeeded
    return replace(merger, state=state, decided_by=officer, decided_at=at)


def check_active(*accounts: Account) -> None:
    """Refuse to merge whoever is not let in: that would open or close an account by the back door."""
    if any(account.state is not AccountState.ACTIVE for account in accounts):
        raise AccountNotActive
