"""The memory: every SQL statement of the service. `Store.begin` is the only way to commit."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from common import transaction
from common.auth import Actor
from common.db import Database
from common.telemetry import log
from common.transaction import Transaction
from sealing import KeyRing

from workbench.store.absences import Absences
from workbench.store.apps import Apps
from workbench.store.consults import Consults
from workbench.store.messages import Messages
from workbench.store.sent import Sent
from workbench.store.todos import Todos

__all__ = ["Store", "Tx"]


@dataclass(frozen=True, slots=True)
class Tx:
    """One transaction and what can be remembered in it."""

    unit: Transaction
    todos: Todos
    apps: Apps
    absences: Absences
    messages: Messages
    sent: Sent
    consults: Consults


class Store:
    """The database with the clock, ids and keys that its transactions need."""

    def __init__(
        self,
        database: Database,
        *,
        clock: Callable[[], datetime],
        ids: Callable[[], UUID],
        keys: KeyRing,
        kick: Callable[[], Awaitable[None]],
    ) -> None:
        self.database = database
        self._clock = clock
        self._ids = ids
        self._keys = keys
        self._kick = kick

    @asynccontextmanager
    async def begin(self, actor: Actor, *, once: Sequence[UUID] = (), consumer: str = "") -> AsyncIterator[Tx]:
        """Open a transaction for an actor; it commits when the block ends, and only then."""
        stirred = asyncio.Event()
        async with transaction.begin(
            self.database,
            service="workbench",
            at=self._clock(),
            ids=self._ids,
            actor=actor,
            keys=self._keys,
            once=once,
            consumer=consumer,
        ) as unit:
            yield Tx(
                unit=unit,
                todos=Todos(unit, stirred),
                apps=Apps(unit),
                absences=Absences(unit),
                messages=Messages(unit, stirred),
                sent=Sent(unit, stirred),
                consults=Consults(unit),
            )
        if stirred.is_set():
            try:
                await self._kick()
            except Exception as error:  # noqa: BLE001 - the streams look by themselves every few seconds
                log.warning("workbench.kick_failed", error=type(error).__name__)
