"""An invented service: a shelf of things, and the notes that a listener takes of them."""

import asyncio
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from common import transaction
from common.auth import Call, system
from common.db import Database
from common.inbox import Subscriptions
from common.permissions import Caller
from sealing import KeyRing
from tongban.orchestration.v1 import case_events_pb2 as pb

MIGRATIONS = Path(__file__).parent / "migrations"
KEYS = KeyRing({"k1": b"1" * 32}, "k1", b"i" * 32)

ADD = "insert into things (id, state, version) values (:id, :state, 1) returning 1"
MOVE = "update things set state = :state, version = version + 1 where id = :id and version = :seen returning 1"
NOTE = "insert into notes (id, fact, thing) values (:id, :fact, :thing) returning 1"


@dataclass(frozen=True)
class Tx:
    unit: transaction.Transaction


@dataclass
class Store:
    """The shelf's memory. It speaks for orchestration when it emits, because facts belong to a service."""

    database: Database
    clock: object
    ids: object
    service: str = "orchestration"

    @asynccontextmanager
    async def begin(self, actor=None, *, once=(), consumer=""):
        async with transaction.begin(
            self.database,
            service=self.service,
            at=self.clock(),
            ids=self.ids,
            actor=actor or system(self.service),
            keys=KEYS,
            once=once,
            consumer=consumer,
        ) as unit:
            yield Tx(unit)

    async def ready(self, *cases):
        """Emit a fact for each."""
        async with self.begin() as tx:
            for case in cases:
                tx.unit.emit(pb.CaseReady(case_id=case))

    async def rows(self, sql, *arguments):
        async with self.database.engine.connect() as connection:
            return (await connection.exec_driver_sql(sql, arguments)).all()

    async def count(self, what):
        return (await self.rows(f"select count(*) from {what}"))[0][0]


def citizen(key=None, *, body=b"body", route="add_thing", person="p1"):
    call = Call(route=route, idempotency_key=key, request_hash=body, purpose="看病", trace_id="t" * 32)
    return replace(system("x"), kind=Caller.CITIZEN, id=person, call=call)


@dataclass
class Listener:
    """What the listener's handler does with which case; everything else it notes."""

    moods: dict = field(default_factory=dict)
    tried: list = field(default_factory=list)


subscriptions = Subscriptions("workbench")


@subscriptions.on(pb.CaseReady)
async def take_note(app, tx, fact):
    app.tried.append(fact.body.case_id)
    tx.unit.write("note", NOTE, rows=1, id=tx.unit.ids(), fact=fact.id, thing=fact.body.case_id)
    if mood := app.moods.get(fact.body.case_id):
        raise mood


(TAKE_NOTE,) = subscriptions


async def until(check, *, within=20.0):
    """Wait until something is true."""
    async with asyncio.timeout(within):
        while not (found := await check()):  # noqa: ASYNC110 - a server tells nobody
            await asyncio.sleep(0.02)
        return found


@asynccontextmanager
async def working(*coroutines):
    """Run these beside the block; what one of them raises is raised."""
    tasks = [asyncio.ensure_future(each) for each in coroutines]
    try:
        yield
        for task in tasks:
            if task.done():
                task.result()
    finally:
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task


class Line:
    """A line to a server that can be cut at a chosen word: before the server hears it, or before its answer."""

    def __init__(self, host, port):
        self._target = (host, port)
        self._server = None
        self._word = b""
        self._deliver = False
        self._near_outs = []
        self.cuts = 0

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._join, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_):
        self._server.close()

    def cut_at(self, word, *, deliver):
        self._word, self._deliver = word, deliver

    def say(self, words):
        """Tell those who are connected something that the server has not said."""
        for near_out in self._near_outs:
            near_out.write(words)

    async def _join(self, near, near_out):
        self._near_outs.append(near_out)
        far, far_out = await asyncio.open_connection(*self._target)
        back = asyncio.ensure_future(self._carry(far, near_out))
        try:
            while data := await near.read(65536):
                if self._word and self._word in data:
                    self._word = b""
                    self.cuts += 1
                    back.cancel()
                    if self._deliver:
                        far_out.write(data)
                        await far.read(65536)
                    break
                far_out.write(data)
                await far_out.drain()
        except OSError:
            pass
        finally:
            back.cancel()
            near_out.close()
            far_out.close()

    async def _carry(self, source, sink):
        with suppress(OSError):
            while data := await source.read(65536):
                sink.write(data)
                await sink.drain()
            sink.close()
