"""The gateway's own journal: who logged in and out, and whom the door refused.

Written behind the answer, one by one, tried until the database takes it; what could not be kept is counted and said.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from common import telemetry, transaction
from common.auth import Actor, Call, system
from common.db import Database
from common.errors import Conflict, Refusal, Unavailable
from common.permissions import Caller
from common.transaction import Transaction
from prometheus_client import Counter
from sealing import KeyRing

from gateway.sessions import Session

WAITING_LIMIT = 10_000
PAUSE = 1.0
LOST = Counter("tongban_gateway_journal_lost", "Acts that could not be journaled.")


@dataclass(frozen=True, slots=True)
class Act:
    """One act at the front door."""

    at: datetime
    verb: str
    actor: Actor
    subject: tuple[str, str]
    owner: str | None = None
    details: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Tx:
    """A transaction of the journal's own keeping."""

    unit: Transaction


class Journal:
    """Takes acts at once and writes them in the background."""

    def __init__(
        self, database: Database, keys: KeyRing, clock: Callable[[], datetime], ids: Callable[[], UUID]
    ) -> None:
        self._database = database
        self._keys = keys
        self._clock = clock
        self._ids = ids
        self._waiting: asyncio.Queue[Act] = asyncio.Queue(WAITING_LIMIT)
        self._owed = 0

    def logged_in(self, session: Session, address: str) -> None:
        self._of_session("log_in", session, {"face": session.face, "acr": str(session.acr), "address": address})

    def logged_out(self, session: Session, how: str) -> None:
        self._of_session("log_out", session, {"face": session.face, "how": how})

    def refused(self, refusal: Refusal, route: str, address: str, session: Session | None = None) -> None:
        details = {"reason": refusal.reason, "route": route, "address": address}
        if session is not None:
            self._of_session("refuse", session, details)
            return
        actor = system("gateway", route="gateway.refuse", trace_id=telemetry.trace_id())
        self._take(Act(self._clock(), "gateway.refuse", actor, ("address", address), details=details))

    async def run(self) -> None:
        """Write what comes, until cancelled."""
        while True:
            act = await self._waiting.get()
            await self._write_surely(act)
            self._owed -= 1
            self._waiting.task_done()

    async def close(self, within: float) -> None:
        """Write what still waits; say what had to be left."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._waiting.join(), within)
        if self._owed:
            _lost(self._owed)

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Tx]:
        """Begin a transaction in which what was written is sealed, or looked over."""
        actor = system("gateway", route="gateway.seal_journal")
        async with transaction.begin(
            self._database, service="gateway", at=self._clock(), ids=self._ids, actor=actor, keys=self._keys
        ) as unit:
            yield Tx(unit)

    def _of_session(self, verb: str, session: Session, details: Mapping[str, str]) -> None:
        name = f"gateway.{verb}"
        actor = Actor(
            kind=Caller.CITIZEN if session.realm == "citizen" else Caller.OFFICER,
            id=session.person_id,
            token="",
            client="gateway",
            session=session.sid,
            acr=session.acr,
            roles=frozenset(),
            post=None,
            call=Call(route=name, trace_id=telemetry.trace_id()),
        )
        self._take(Act(self._clock(), name, actor, ("session", session.sid), session.person_id, details))

    def _take(self, act: Act) -> None:
        try:
            self._waiting.put_nowait(act)
        except asyncio.QueueFull:
            _lost(1)
        else:
            self._owed += 1

    async def _write_surely(self, act: Act) -> None:
        while True:
            try:
                await self._write(act)
            except (Unavailable, Conflict, OSError) as error:
                telemetry.log.warning("gateway.journal_waits", exc_info=error)
                await asyncio.sleep(PAUSE)
            except Exception as error:  # noqa: BLE001 - one act that cannot be written must not hold up all others
                _lost(1, error)
                return
            else:
                return

    async def _write(self, act: Act) -> None:
        async with transaction.begin(
            self._database, service="gateway", at=act.at, ids=self._ids, actor=act.actor, keys=self._keys
        ) as unit:
            unit.record(act.verb, subject=act.subject, owner=act.owner, details=act.details)


def _lost(acts: int, error: Exception | None = None) -> None:
    LOST.inc(acts)
    telemetry.log.error("gateway.journal_lost", acts=acts, exc_info=error)
