"""The memory: every SQL statement of the service. `Store.begin` is the only way to commit."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from common import transaction
from common.auth import Actor
from common.db import Database
from common.transaction import Transaction
from sealing import KeyRing

from accounts.domain.account import AccountKind, check_active
from accounts.domain.person import Ageing, ProofLevel
from accounts.domain.post import Post, resolve
from accounts.store.access import AccessLog
from accounts.store.accounts import Accounts, account_of
from accounts.store.delegations import Delegations
from accounts.store.guardianships import Guardianships
from accounts.store.legal_persons import LegalPersons
from accounts.store.mergers import Mergers
from accounts.store.organisations import Organisations
from accounts.store.persons import Persons
from accounts.store.posts import Employees, Posts, posts_of

__all__ = ["Store", "Tx"]


@dataclass(frozen=True, slots=True)
class Tx:
    """One transaction and what can be remembered in it."""

    unit: Transaction
    ageing: Ageing
    persons: Persons
    organisations: Organisations
    employees: Employees
    posts: Posts
    accounts: Accounts
    delegations: Delegations
    guardianships: Guardianships
    legal_persons: LegalPersons
    mergers: Mergers
    access: AccessLog


class Store:
    """The database with the clock, ids and keys that its transactions need."""

    def __init__(
        self,
        database: Database,
        *,
        clock: Callable[[], datetime],
        ids: Callable[[], UUID],
        keys: KeyRing,
        proof_lasts: Mapping[ProofLevel, timedelta],
    ) -> None:
        self.database = database
        self._clock = clock
        self._ids = ids
        self._keys = keys
        self._proof_lasts = proof_lasts

    @asynccontextmanager
    async def begin(self, actor: Actor, *, once: Sequence[UUID] = (), consumer: str = "") -> AsyncIterator[Tx]:
        """Open a transaction for an actor; it commits when the block ends, and only then."""
        async with transaction.begin(
            self.database,
            service="accounts",
            at=self._clock(),
            ids=self._ids,
            actor=actor,
            keys=self._keys,
            once=once,
            consumer=consumer,
        ) as unit:
            yield Tx(
                unit=unit,
                ageing=Ageing(self._proof_lasts, unit.at),
                persons=Persons(unit),
                organisations=Organisations(unit),
                employees=Employees(unit),
                posts=Posts(unit),
                accounts=Accounts(unit),
                delegations=Delegations(unit),
                guardianships=Guardianships(unit),
                legal_persons=LegalPersons(unit),
                mergers=Mergers(unit),
                access=AccessLog(unit),
            )

    async def resolve_post(self, employee_id: UUID, post_id: UUID | None) -> Post:
        """Find the post that an employee acts in, before there is an actor; never from a cache."""
        async with transaction.plain(self.database) as connection:
            check_active(await account_of(connection, self._keys, employee_id, AccountKind.EMPLOYEE))
            held = await posts_of(connection, employee_id)
        return resolve(held, post_id, self._clock())

    async def check_active(self, account_id: UUID, kind: AccountKind) -> None:
        """Refuse whose account is not active, before there is an actor."""
        async with transaction.plain(self.database) as connection:
            check_active(await account_of(connection, self._keys, account_id, kind))
