"""Account states in the database; the reason is sealed."""

from typing import Any
from uuid import UUID

from common.transaction import Transaction
from sealing import KeyRing
from sqlalchemy import Row, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from accounts.domain.account import Account, AccountKind, AccountState
from accounts.models import accounts as table
from accounts.store.locks import hold

KEEP = """
    INSERT INTO accounts (account_id, kind, state, reason, changed_at, version, told_version)
    VALUES (:account_id, :kind, :state, :reason, :changed_at, :version, 0)
    ON CONFLICT (account_id) DO UPDATE SET state = EXCLUDED.state, reason = EXCLUDED.reason,
        changed_at = EXCLUDED.changed_at, version = EXCLUDED.version
    WHERE accounts.version = EXCLUDED.version - 1
    RETURNING 1
"""


class Accounts:
    """The states of accounts."""

    def __init__(self, unit: Transaction) -> None:
        self._unit = unit

    async def lock(self, account_id: UUID, kind: AccountKind) -> Account:
        """Load an account's state to change it."""
        await hold(self._unit, f"accounts:{account_id}")
        return await account_of(self._unit.connection, self._unit.keys, account_id, kind)

    def keep(self, account: Account) -> None:
        """Keep an account's new state."""
        self._unit.write(
            "keep_account",
            KEEP,
            rows=1,
            account_id=account.account_id,
            kind=account.kind.value,
            state=account.state.value,
            reason=self._unit.keys.seal(account.reason.encode(), bound=_bound(account.account_id)),
            changed_at=account.changed_at,
            version=account.version,
        )

    async def untold(self) -> list[Account]:
        """Load those whose state the log-in server was not told yet."""
        statement = select(table).where(table.c.told_version < table.c.version).order_by(table.c.changed_at).limit(50)
        return [_account(self._unit.keys, row) for row in await self._unit.connection.execute(statement)]

    async def told(self, account: Account) -> None:
        """Keep that the log-in server knows this state."""
        await self._unit.connection.execute(
            update(table).where(table.c.account_id == account.account_id).values(told_version=account.version)
        )


async def account_of(connection: AsyncConnection, keys: KeyRing, account_id: UUID, kind: AccountKind) -> Account:
    """Load an account's state; who was never judged is active."""
    row = (await connection.execute(select(table).where(table.c.account_id == account_id))).one_or_none()
    return Account(account_id, kind) if row is None else _account(keys, row)


def _account(keys: KeyRing, row: Row[Any]) -> Account:
    return Account(
        account_id=row.account_id,
        kind=AccountKind(row.kind),
        state=AccountState(row.state),
        reason=keys.open(row.reason, bound=_bound(row.account_id)).decode(),
        changed_at=row.changed_at,
        version=row.version,
    )


def _bound(account_id: UUID) -> str:
    return f"accounts.reason:{account_id}"
