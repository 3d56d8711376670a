"""The memory: every SQL statement of the service. `Store.begin` is the only way to commit."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from common import transaction
from common.auth import Actor
from common.db import Database
from common.transaction import Transaction
from sealing import KeyRing
from worktime import Calendar

from orchestration.store.app_calls import AppCalls
from orchestration.store.archives import Archives
from orchestration.store.attachments import Attachments
from orchestration.store.calls import Calls
from orchestration.store.cases import Cases
from orchestration.store.corrections import Corrections
from orchestration.store.deliveries import Deliveries
from orchestration.store.documents import Documents
from orchestration.store.duplicates import Duplicates
from orchestration.store.filings import Filings
from orchestration.store.matters import Known, Matters
from orchestration.store.operations import Operations
from orchestration.store.proposals import Proposals
from orchestration.store.timers import Timers
from orchestration.store.watches import Watches

__all__ = ["Store", "Tx"]


@dataclass(frozen=True, slots=True)
class Tx:
    """One transaction and what can be remembered in it."""

    unit: Transaction
    matters: Matters
    filings: Filings
    cases: Cases
    calls: Calls
    attachments: Attachments
    documents: Documents
    duplicates: Duplicates
    deliveries: Deliveries
    corrections: Corrections
    archives: Archives
    app_calls: AppCalls
    operations: Operations
    watches: Watches
    timers: Timers
    proposals: Proposals


class Store:
    """The database with the clock, ids and keys that its transactions need."""

    def __init__(
        self,
        database: Database,
        *,
        clock: Callable[[], datetime],
        ids: Callable[[], UUID],
        keys: KeyRing,
        calendar: Calendar,
    ) -> None:
        self.database = database
        self._clock = clock
        self._ids = ids
        self._keys = keys
        self._calendar = calendar
        # Published versions never change, so each is read once per process.
        self._definitions: Known = {}

    @asynccontextmanager
    async def begin(self, actor: Actor, *, once: Sequence[UUID] = (), consumer: str = "") -> AsyncIterator[Tx]:
        async with transaction.begin(
            self.database,
            service="orchestration",
            at=self._clock(),
            ids=self._ids,
            actor=actor,
            keys=self._keys,
            once=once,
            consumer=consumer,
        ) as unit:
            yield Tx(
                unit=unit,
                matters=Matters(unit, self._definitions),
                filings=Filings(unit, self._calendar),
                cases=Cases(unit),
                calls=Calls(unit),
                attachments=Attachments(unit),
                documents=Documents(unit),
                duplicates=Duplicates(unit),
                corrections=Corrections(unit),
                archives=Archives(unit),
                deliveries=Deliveries(unit, self._calendar),
                app_calls=AppCalls(unit),
                operations=Operations(unit),
                watches=Watches(unit),
                timers=Timers(unit),
                proposals=Proposals(unit),
            )
