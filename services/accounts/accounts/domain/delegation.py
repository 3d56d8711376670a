"""Delegation between officers (代理): what a post may do, lent to a colleague until a day; never more, never onward.

Refusal
├── DelegationEndsBeforeItBegins
├── DelegationAlreadyOver
├── DelegationOnward            only the holder lends a post, and not the right to lend it
├── DelegatePermissionMissing   nobody lends what the post does not hold
├── DelegateOfOneself
└── DelegateOutsideOrganisation  a post is lent within its own organisation
NotFound
└── DelegationNotFound
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from common.errors import NotFound, Refusal

from accounts.domain.post import EVERY_POST, Employee, Post

DELEGATE = "accounts:delegate_post"
# Lent posts come after one's own.
LAST = 1000
FIRST_VERSION = 1


class DelegationEndsBeforeItBegins(Refusal):
    """A delegation ends after it begins, and not in the past."""


class DelegationAlreadyOver(Refusal):
    """The delegation is over."""


class DelegationOnward(Refusal):
    """What was lent is not lent onward."""


class DelegatePermissionMissing(Refusal):
    """The post does not hold a permission that is to be lent."""


class DelegateOfOneself(Refusal):
    """Nobody is his or her own delegate."""


class DelegateOutsideOrganisation(Refusal):
    """The delegate works for another organisation."""


class DelegationNotFound(NotFound):
    """There is no such delegation of the caller's."""


@dataclass(frozen=True, slots=True)
class Delegation:
    """One post, in whole or in part, lent to one employee for a time."""

    delegation_id: UUID
    post_id: UUID
    delegator_id: UUID
    delegate_id: UUID
    permissions: tuple[str, ...]
    valid_from: datetime
    valid_until: datetime
    version: int


def delegate(
    delegation_id: UUID,
    *,
    post: Post,
    to: Employee,
    permissions: Collection[str] | None,
    valid_from: datetime,
    valid_until: datetime,
    at: datetime,
) -> Delegation:
    """Lend the post one acts in, or some of its permissions."""
    if DELEGATE in (permissions or ()):
        raise DelegationOnward
    if to.employee_id == post.employee_id:
        raise DelegateOfOneself
    if not f"{to.org_path}.".startswith(f"{post.org_path}."):
        raise DelegateOutsideOrganisation
    lendable = set(post.permissions) - {DELEGATE}
    lent = lendable if permissions is None else set(permissions)
    if missing := sorted(lent - lendable):
        raise DelegatePermissionMissing(permission=missing[0])
    if valid_until <= max(valid_from, at):
        raise DelegationEndsBeforeItBegins
    return Delegation(
        delegation_id=delegation_id,
        post_id=post.post_id,
        delegator_id=post.employee_id,
        delegate_id=to.employee_id,
        permissions=tuple(sorted(lent)),
        valid_from=valid_from,
        valid_until=valid_until,
        version=FIRST_VERSION,
    )


def revoke(delegation: Delegation, *, at: datetime) -> Delegation:
    """Take a lent post back, from now on."""
    if delegation.valid_until <= at:
        raise DelegationAlreadyOver(delegation_id=delegation.delegation_id)
    return replace(delegation, valid_until=max(at, delegation.valid_from), version=delegation.version + 1)


def lent(delegation: Delegation, post: Post) -> Post:
    """Give the post that a delegate acts in: never more than the holder's post holds now, nor for longer."""
    ends = [end for end in (delegation.valid_until, post.valid_until) if end is not None]
    return Post(
        post_id=delegation.delegation_id,
        employee_id=delegation.delegate_id,
        org_id=post.org_id,
        org_path=post.org_path,
        region_code=post.region_code,
        title=post.title,
        permissions=tuple(sorted({*delegation.permissions} & {*post.permissions} | EVERY_POST)),
        rank=LAST,
        valid_from=max(delegation.valid_from, post.valid_from),
        valid_until=min(ends),
        version=delegation.version,
        acts_for_post_id=post.post_id,
        line=post.line,
    )
