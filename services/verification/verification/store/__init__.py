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

from verification.store.consent_requests import ConsentRequests
from verification.store.consents import Consents
from verification.store.duplicates import Duplicates
from verification.store.evidence import EvidenceRecords
from verification.store.licence_types import LicenceTypes
from verification.store.licences import Licences

__all__ = ["Store", "Tx"]


@dataclass(frozen=True, slots=True)
class Tx:
    """One transaction and what can be remembered in it."""

    unit: Transaction
    licence_types: LicenceTypes
    licences: Licences
    consents: Consents
    consent_requests: ConsentRequests
    evidence: EvidenceRecords
    duplicates: Duplicates


class Store:
    """The database with the clock, ids and keys that its transactions need."""

    def __init__(
        self, database: Database, *, clock: Callable[[], datetime], ids: Callable[[], UUID], keys: KeyRing
    ) -> None:
        self.database = database
        self._clock = clock
        self._ids = ids
        self._keys = keys

    @asynccontextmanager
    async def begin(self, actor: Actor, *, once: Sequence[UUID] = (), consumer: str = "") -> AsyncIterator[Tx]:
        """Open a transaction for an actor; it commits when the block ends, and only then."""
        async with transaction.begin(
            self.database,
            service="verification",
            at=self._clock(),
            ids=self._ids,
            actor=actor,
            keys=self._keys,
            once=once,
            consumer=consumer,
        ) as unit:
            yield Tx(
                unit=unit,
                licence_types=LicenceTypes(unit),
                licences=Licences(unit),
                consents=Consents(unit),
                consent_requests=ConsentRequests(unit),
                evidence=EvidenceRecords(unit),
                duplicates=Duplicates(unit),
            )
