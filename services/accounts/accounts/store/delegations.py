"""Lent posts in the database; they are their holder's to see and to take back."""

from typing import Any
from uuid import UUID

from common.transaction import Transaction
from sqlalchemy import Row, select

from accounts.domain.delegation import Delegation, DelegationNotFound
from accounts.models import delegations as table

ADD = """
    INSERT INTO delegations (delegation_id, post_id, delegator_id, delegate_id, permissions, valid_from, valid_until,
        version)
    VALUES (:delegation_id, :post_id, :delegator_id, :delegate_id, :permissions, :valid_from, :valid_until, :version)
    RETURNING 1
"""
REVOKE = """
    UPDATE delegations SET valid_until = :valid_until, version = :version
    WHERE delegation_id = :delegation_id AND version = :version_before
    RETURNING 1
"""


class Delegations:
    """Which posts are lent to whom."""

    def __init__(self, unit: Transaction) -> None:
        self._unit = unit

    def add(self, delegation: Delegation) -> None:
        """Keep a new delegation."""
        self._unit.write(
            "add_delegation",
            ADD,
            rows=1,
            delegation_id=delegation.delegation_id,
            post_id=delegation.post_id,
            delegator_id=delegation.delegator_id,
            delegate_id=delegation.delegate_id,
            permissions=list(delegation.permissions),
            valid_from=delegation.valid_from,
            valid_until=delegation.valid_until,
            version=delegation.version,
        )

    def revoke(self, delegation: Delegation) -> None:
        """Keep that a delegation is over."""
        self._unit.write(
            "revoke_delegation",
            REVOKE,
            rows=1,
            delegation_id=delegation.delegation_id,
            valid_until=delegation.valid_until,
            version=delegation.version,
            version_before=delegation.version - 1,
        )

    async def lock(self, delegation_id: UUID) -> Delegation:
        """Load a delegation that the caller made, to change it."""
        mine = table.c.delegator_id == UUID(self._unit.actor.id)
        statement = select(table).where(table.c.delegation_id == delegation_id, mine).with_for_update()
        row = (await self._unit.connection.execute(statement)).one_or_none()
        if row is None:
            raise DelegationNotFound(delegation_id=delegation_id)
        return delegation_of(row)

    async def mine(self) -> list[Delegation]:
        """Load what the caller lent, the latest first."""
        statement = (
            select(table)
            .where(table.c.delegator_id == UUID(self._unit.actor.id))
            .order_by(table.c.valid_until.desc(), table.c.delegation_id)
        )
        return [delegation_of(row) for row in await self._unit.connection.execute(statement)]

    async def of_post(self, post_id: UUID) -> list[Delegation]:
        """Load what was lent of a post."""
        rows = await self._unit.connection.execute(select(table).where(table.c.post_id == post_id))
        return [delegation_of(row) for row in rows]


def delegation_of(row: Row[Any]) -> Delegation:
    return Delegation(
        delegation_id=row.delegation_id,
        post_id=row.post_id,
        delegator_id=row.delegator_id,
        delegate_id=row.delegate_id,
        permissions=tuple(row.permissions),
        valid_from=row.valid_from,
        valid_until=row.valid_until,
        version=row.version,
    )
