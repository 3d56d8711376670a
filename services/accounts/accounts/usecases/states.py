"""The verbs about account states, and who is told of them."""

from collections.abc import Callable
from uuid import UUID

from common.auth import Actor, Authenticator, Call, system
from common.permissions import Caller

from accounts import events
from accounts.clients.keycloak import Administration
from accounts.domain import account as accounts
from accounts.domain.account import Account, AccountKind, AccountState, OwnAccount
from accounts.store import Store, Tx

# Where the log-ins of each kind are, and by which attribute they name who logs in.
LOG_INS = {AccountKind.PERSON: ("citizen", "person_id"), AccountKind.EMPLOYEE: ("gov", "employee_id")}
ACTS = {
    AccountState.SUSPENDED: "accounts.suspend_account",
    AccountState.ACTIVE: "accounts.reactivate_account",
    AccountState.CLOSED: "accounts.close_account",
}


async def read_account(tx: Tx, kind: AccountKind, account_id: UUID) -> Account:
    """Read an account's state."""
    await _check_known(tx, kind, account_id)
    return await tx.accounts.lock(account_id, kind)


async def suspend_account(tx: Tx, kind: AccountKind, account_id: UUID, *, reason: str) -> Account:
    """Suspend an account (停用)."""
    account = await _judged(tx, kind, account_id)
    return await keep(tx, accounts.suspend(account, reason, at=tx.unit.at))


async def reactivate_account(tx: Tx, kind: AccountKind, account_id: UUID, *, reason: str) -> Account:
    """Reactivate a suspended account (恢复)."""
    account = await _judged(tx, kind, account_id)
    return await keep(tx, accounts.reactivate(account, reason, at=tx.unit.at))


async def close_account(tx: Tx, kind: AccountKind, account_id: UUID, *, reason: str) -> Account:
    """Close an account for good (注销账号)."""
    account = await _judged(tx, kind, account_id)
    return await keep(tx, accounts.close(account, reason, at=tx.unit.at))


async def tell_log_in_server(store: Store, keycloak: Callable[[], Administration]) -> int:
    """Bring log-ins to the states of their accounts: who is not active is disabled and logged out everywhere.

    The log-in of a duplicate is kept: it names the person that the duplicate was merged into.
    """
    async with store.begin(system("accounts", route="tell_log_in_server")) as tx:
        untold = await tx.accounts.untold()
        survivors = await tx.persons.survivors([account.account_id for account in untold])
    if not untold:
        return 0
    async with keycloak() as server:
        for account in untold:
            realm, attribute = LOG_INS[account.kind]
            active = account.state is AccountState.ACTIVE
            survivor = survivors.get(account.account_id, account.account_id)
            if survivor == account.account_id:
                await server.let_in(realm, attribute, str(account.account_id), active=active)
            else:
                await server.relink(realm, attribute, str(account.account_id), str(survivor))
            async with store.begin(system("accounts", route="tell_log_in_server")) as tx:
                await tx.accounts.told(account)
    return len(untold)


class Doorkeeper(Authenticator):
    """Turns a citizen away whose account is not active; of officers the post is asked, which does the same."""

    def __init__(self, authenticator: Authenticator, store: Store) -> None:
        self._authenticator = authenticator
        self._store = store

    async def actor(self, token: str, post_id: str | None, call: Call) -> Actor:
        """Tell who calls, or refuse."""
        actor = await self._authenticator.actor(token, post_id, call)
        if actor.kind is Caller.CITIZEN:
            await self._store.check_active(UUID(actor.id), AccountKind.PERSON)
        return actor


async def _judged(tx: Tx, kind: AccountKind, account_id: UUID) -> Account:
    if tx.unit.actor.id == str(account_id):
        raise OwnAccount
    await _check_known(tx, kind, account_id)
    return await tx.accounts.lock(account_id, kind)


async def keep(tx: Tx, account: Account) -> Account:
    """Keep an account's new state, and tell of it."""
    tx.accounts.keep(account)
    tx.unit.record(
        ACTS[account.state],
        subject=(account.kind.value, str(account.account_id)),
        owner=str(account.account_id) if account.kind is AccountKind.PERSON else None,
        details={"version": account.version},
    )
    tx.unit.emit(events.account_changed(account, at=tx.unit.at))
    if account.kind is AccountKind.EMPLOYEE:
        # Whoever remembers what the employee may do forgets it, and of those who act for him or her.
        for post in await tx.posts.touched_by(account.account_id):
            tx.unit.emit(events.post_changed(post, at=tx.unit.at))
    return account


async def _check_known(tx: Tx, kind: AccountKind, account_id: UUID) -> None:
    if kind is AccountKind.PERSON:
        await tx.persons.get(account_id)
    else:
        await tx.employees.get(account_id)
