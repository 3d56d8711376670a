"""The gateway's own journal: who logged in and out, and whom the door refused.

An act is noted in Redis, in one transaction with what it changes there or before it is answered, and written to the
database from there, by whichever gateway comes to it first. So neither a gateway that is killed nor a database that is
away loses one, and nobody waits for the database to log in.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, cast
from uuid import UUID

import orjson
from common import telemetry, transaction
from common.auth import Actor, Call, system
from common.db import Database
from common.errors import Conflict, Refusal, Unavailable
from common.permissions import Caller
from common.transaction import Transaction
from prometheus_client import Counter
from pydantic import TypeAdapter
from redis.asyncio import Redis
from redis.exceptions import RedisError
from sealing import KeyRing
from sqlalchemy import text

from gateway.sessions import Also, Session

if TYPE_CHECKING:
    from redis.asyncio.client import Pipeline

NOTES = "journal:notes"
# refusals are noted up to here: whoever asks for them by the million fills no memory
REFUSALS_LIMIT = 10_000
BATCH = 100
EVERY = 0.3
PAUSE = 1.0
LOST = Counter("tongban_gateway_journal_lost", "Acts that could not be journaled.")

# one writer at a time: another gateway that finds it taken comes again
_LOCK = text("select pg_try_advisory_xact_lock(72015)")
# a writer that was killed before it struck a note out leaves it to the next one
_WRITTEN = text(
    "select exists (select from journal where subject_kind = :kind and subject_id = :id and at = :at and act = :act"
    " and trace_id = :trace_id)"
)
_REFUSED = """
if redis.call('XLEN', KEYS[1]) >= tonumber(ARGV[1]) then return 0 end
redis.call('XADD', KEYS[1], '*', 'act', ARGV[2])
return 1
"""


@dataclass(frozen=True, slots=True)
class Person:
    """Whose log-in it was."""

    id: str
    realm: str
    sid: str
    acr: int


@dataclass(frozen=True, slots=True)
class Act:
    """One act at the front door."""

    at: datetime
    verb: str
    trace_id: str
    subject: tuple[str, str]
    person: Person | None = None
    details: Mapping[str, str] = field(default_factory=dict)

    @property
    def actor(self) -> Actor:
        if self.person is None:
            return system("gateway", route=self.verb, trace_id=self.trace_id)
        return Actor(
            kind=Caller.CITIZEN if self.person.realm == "citizen" else Caller.OFFICER,
            id=self.person.id,
            token="",
            client="gateway",
            session=self.person.sid,
            acr=self.person.acr,
            roles=frozenset(),
            post=None,
            call=Call(route=self.verb, trace_id=self.trace_id),
        )


_ACT = TypeAdapter(Act)


@dataclass(frozen=True, slots=True)
class Tx:
    """A transaction of the journal's own keeping."""

    unit: Transaction


class Journal:
    """Notes acts in Redis and writes them to the database in the background."""

    def __init__(
        self,
        database: Database,
        redis: Redis,
        keys: KeyRing,
        clock: Callable[[], datetime],
        ids: Callable[[], UUID],
    ) -> None:
        self._database = database
        self._redis = redis
        self._keys = keys
        self._clock = clock
        self._ids = ids
        self._refused = redis.register_script(_REFUSED)

    def log_in(self, address: str) -> Also:
        """Give what is noted together with a session that begins."""
        return partial(self._of_session, "gateway.log_in", address=address)

    def log_out(self, how: str) -> Also:
        """Give what is noted together with a session that ends."""
        return partial(self._of_session, "gateway.log_out", how=how)

    async def refuse(self, refusal: Refusal, route: str, address: str) -> None:
        """Note whom the door refused; without Redis the refusal alone must do."""
        details = {"reason": refusal.reason, "route": route, "address": address}
        act = Act(self._clock(), "gateway.refuse", telemetry.trace_id(), ("address", address), details=details)
        try:
            noted = await self._refused(keys=[NOTES], args=[REFUSALS_LIMIT, self._sealed(act)])
        except (RedisError, OSError) as error:
            _lost(error)
        else:
            if not noted:
                _lost()

    async def run(self) -> None:
        """Write what was noted, until cancelled."""
        while True:
            try:
                more = await self._write_noted()
            except (RedisError, Unavailable, Conflict, OSError) as error:
                telemetry.log.warning("gateway.journal_waits", exc_info=error)
                await asyncio.sleep(PAUSE)
            else:
                if not more:
                    await asyncio.sleep(EVERY)

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Tx]:
        """Begin a transaction in which what was written is sealed, or looked over."""
        async with self._transaction(self._clock(), system("gateway", route="gateway.seal_journal")) as unit:
            yield Tx(unit)

    def _of_session(self, verb: str, pipe: "Pipeline", session: Session, **details: str) -> None:
        person = Person(session.person_id, session.realm, session.sid, session.acr)
        told = {"face": session.face, **details}
        if verb == "gateway.log_in":
            told["acr"] = str(session.acr)
        act = Act(self._clock(), verb, telemetry.trace_id(), ("session", session.sid), person, told)
        pipe.xadd(NOTES, {"act": self._sealed(act)})

    async def _write_noted(self) -> bool:
        """Write some notes; tell whether to go on at once."""
        notes = cast("list[tuple[bytes, dict[bytes, bytes]]]", await self._redis.xrange(NOTES, count=BATCH))
        for name, note in notes:
            try:
                act = _ACT.validate_json(self._keys.open(note[b"act"], bound=NOTES))
                if not await self._write(act):
                    return False
            except (Unavailable, Conflict, OSError):
                raise
            except Exception as error:  # noqa: BLE001 - one act that cannot be written must not hold up all others
                _lost(error)
            await self._redis.xdel(NOTES, name)
        return len(notes) == BATCH

    async def _write(self, act: Act) -> bool:
        """Write an act once; False while another gateway writes."""
        async with self._transaction(act.at, act.actor) as unit:
            if not (await unit.connection.execute(_LOCK)).scalar_one():
                return False
            kind, subject_id = act.subject
            asked = {"kind": kind, "id": subject_id, "at": act.at, "act": act.verb, "trace_id": act.trace_id}
            if not (await unit.connection.execute(_WRITTEN, asked)).scalar_one():
                owner = act.person.id if act.person else None
                unit.record(act.verb, subject=act.subject, owner=owner, details=act.details)
        return True

    @asynccontextmanager
    async def _transaction(self, at: datetime, actor: Actor) -> AsyncIterator[Transaction]:
        async with transaction.begin(
            self._database, service="gateway", at=at, ids=self._ids, actor=actor, keys=self._keys
        ) as unit:
            yield unit

    def _sealed(self, act: Act) -> bytes:
        return self._keys.seal(orjson.dumps(act), bound=NOTES)


def _lost(error: Exception | None = None) -> None:
    LOST.inc()
    telemetry.log.error("gateway.journal_lost", exc_info=error)
