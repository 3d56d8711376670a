"""Account states (账号状态): whether a person or an employee may be let in, and why not.

Refusal
├── AccountAlreadySuspended
├── AccountNotSuspended
└── AccountAlreadyClosed     closed is for good
Denied
├── AccountSuspended         the caller's own account
├── AccountClosed
└── OwnAccount               nobody judges the own account
"""

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from common.errors import Denied, Refusal


class AccountAlreadySuspended(Refusal):
    """The account is suspended."""


class AccountNotSuspended(Refusal):
    """The account is not suspended."""


class AccountAlreadyClosed(Refusal):
    """The account is closed."""


class AccountSuspended(Denied):
    """The caller's account is suspended."""


class AccountClosed(Denied):
    """The caller's account is closed."""


class OwnAccount(Denied):
    """Nobody changes the state of the own account."""


class AccountKind(StrEnum):
    PERSON = "person"
    EMPLOYEE = "employee"


class AccountState(StrEnum):
    ACTIVE = "active"
    SUSPENDED = "suspended"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Account:
    """One account's state; who was never judged is active."""

    account_id: UUID
    kind: AccountKind
    state: AccountState = AccountState.ACTIVE
    reason: str = field(default="", repr=False)
    changed_at: datetime | None = None
    version: int = 0


def suspend(account: Account, reason: str, *, at: datetime) -> Account:
    """Suspend an account until it is reactivated."""
    if account.state is AccountState.SUSPENDED:
        raise AccountAlreadySuspended
    return _become(account, AccountState.SUSPENDED, reason, at)


def reactivate(account: Account, reason: str, *, at: datetime) -> Account:
    """Let a suspended account in again."""
    if account.state is AccountState.ACTIVE:
        raise AccountNotSuspended
    return _become(account, AccountState.ACTIVE, reason, at)


def close(account: Account, reason: str, *, at: datetime) -> Account:
    """Close an account for good."""
    return _become(account, AccountState.CLOSED, reason, at)


def check_active(account: Account) -> None:
    """Refuse whoever is not let in."""
    if account.state is AccountState.SUSPENDED:
        raise AccountSuspended
    if account.state is AccountState.CLOSED:
        raise AccountClosed


def _become(account: Account, state: AccountState, reason: str, at: datetime) -> Account:
    if account.state is AccountState.CLOSED:
        raise AccountAlreadyClosed
    return replace(account, state=state, reason=reason, changed_at=at, version=account.version + 1)
