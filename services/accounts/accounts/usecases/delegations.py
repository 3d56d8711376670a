"""The verbs about posts lent to colleagues."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from accounts import events
from accounts.domain import delegation as delegations
from accounts.domain.delegation import Delegation, DelegationOnward
from accounts.domain.post import EmployeeUnknown, Post
from accounts.store import Tx


async def delegate_post(
    tx: Tx,
    *,
    delegate_id: UUID,
    granted: Collection[str] | None,
    valid_from: datetime | None,
    valid_until: datetime,
) -> Delegation:
    """Lend the post one acts in to a colleague until a day (委托代理)."""
    actor = tx.unit.actor
    to = await tx.employees.find(delegate_id)
    if to is None:
        raise EmployeeUnknown
    # A lent post is not among the posts that were given: it cannot be lent onward.
    post = await tx.posts.find(UUID(actor.post.id)) if actor.post else None
    if post is None:
        raise DelegationOnward
    delegation = delegations.delegate(
        tx.unit.ids(),
        post=post,
        to=to,
        permissions=granted,
        valid_from=valid_from or tx.unit.at,
        valid_until=valid_until,
        at=tx.unit.at,
    )
    tx.delegations.add(delegation)
    _journal(tx, "accounts.delegate_post", delegation, post)
    return delegation


async def revoke_delegation(tx: Tx, delegation_id: UUID) -> Delegation:
    """Take back a post that one lent (收回委托)."""
    delegation = await tx.delegations.lock(delegation_id)
    post = await tx.posts.get(delegation.post_id)
    revoked = delegations.revoke(delegation, at=tx.unit.at)
    tx.delegations.revoke(revoked)
    _journal(tx, "accounts.revoke_delegation", revoked, post)
    return revoked


async def list_delegations(tx: Tx) -> list[Delegation]:
    """List what the caller lent, what is over included."""
    return await tx.delegations.mine()


def _journal(tx: Tx, act: str, delegation: Delegation, post: Post) -> None:
    tx.unit.record(
        act,
        subject=("delegation", str(delegation.delegation_id)),
        details={
            "post_id": str(delegation.post_id),
            "employee_id": str(delegation.delegate_id),
            "permissions": list(delegation.permissions),
            "version": delegation.version,
        },
    )
    tx.unit.emit(events.post_changed(delegations.lent(delegation, post), at=tx.unit.at))
