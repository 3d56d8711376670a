"""The life of a service's process: open, work, drain, close. One task group; whatever ends unasked ends it all."""

import argparse
import asyncio
import gc
import signal
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import uvloop
from fastapi import FastAPI
from pydantic import SecretStr, ValidationError
from uuid_utils.compat import uuid7

from common import consumer, db, deadletter, relay, telemetry
from common.bus import Bus
from common.config import Settings
from common.db import Database
from common.errors import Unavailable
from common.inbox import Subscriptions
from common.rpc import Server
from common.web.serving import DRAIN, Serving

PARTS = ("doors", "relay", "consumers", "jobs")
_HOUSEKEEPING = timedelta(hours=1)
_WAIT_FOR_BUS = 5.0

type Clock = Callable[[], datetime]
type Check = Callable[[], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Job:
    """Work by the clock. Every replica runs it, so it must bear running twice."""

    name: str
    every: timedelta
    run: Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class House:
    """What a service opens: its doors, what it listens to and its jobs."""

    name: str
    http: FastAPI | None = None
    http_port: int = 0
    rpc: Server | None = None
    grpc_port: int = 0
    database: Database | None = None
    bus: Bus | None = None
    subscriptions: Subscriptions | None = None
    store: Any = None
    jobs: Sequence[Job] = ()
    ready: Mapping[str, Check] = field(default_factory=dict)
    host: str = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the doors really are: the system chooses where 0 was asked for."""

    http: int = 0
    grpc: int = 0


async def live(
    house: House,
    app: object,
    *,
    stop: asyncio.Event,
    parts: Sequence[str] = PARTS,
    clock: Clock,
    opened: Callable[[Ports], object] = id,
) -> None:
    """Run the house until `stop` is set, then drain: no new work, what is under way finishes."""
    workers_stop, connected = asyncio.Event(), asyncio.Event()
    doors = _Doors(house)
    try:
        async with asyncio.TaskGroup() as group:
            working = group.create_task(_work(house, app, parts, clock, connected=connected, stop=workers_stop))
            if house.bus is not None:
                # Without the bus people can still be served, and their facts wait in the outbox.
                await _first(connected, stop, within=_WAIT_FOR_BUS)
            opened(await doors.open(group) if "doors" in parts else Ports())
            telemetry.log.info("process.opened", service=house.name, parts=list(parts))
            await stop.wait()
            telemetry.log.info("process.draining", service=house.name)
            async with asyncio.timeout(DRAIN + 5):
                # The doors first: what they still carry out leaves facts for the relay.
                await doors.close()
                workers_stop.set()
                await working
    finally:
        await doors.slam()
    telemetry.log.info("process.closed", service=house.name)


async def _work(
    house: House, app: object, parts: Sequence[str], clock: Clock, *, connected: asyncio.Event, stop: asyncio.Event
) -> None:
    """Do everything that nobody knocks for, until told to stop."""
    async with asyncio.TaskGroup() as group:
        if "jobs" in parts:
            for job in _jobs(house, clock):
                group.create_task(_repeat(house.name, job, stop))
        if house.bus is None:
            return
        connecting = group.create_task(_connect(house, house.bus, connected))
        await _first(connected, stop)
        if not connected.is_set():
            connecting.cancel()
            return
        if "relay" in parts and house.database is not None:
            group.create_task(relay.run(house.database, house.bus, house.name, stop=stop))
        if "consumers" in parts:
            for each in house.subscriptions or ():
                group.create_task(consumer.run(each, app, house.store, house.bus, stop=stop))
        await _first(house.bus.closed, stop)
        if not stop.is_set():
            raise ConnectionError("the bus closed for good")


async def _connect(house: House, bus: Bus, connected: asyncio.Event) -> None:
    try:
        await bus.ready()
    except Unavailable:
        await bus.connect()  # unless the service did so when it opened
    await bus.ensure_stream(house.name)
    if house.database is not None:
        house.database.kick = partial(bus.kick, house.name)
    connected.set()


async def _first(*events: asyncio.Event, within: float | None = None) -> None:
    waiting = [asyncio.ensure_future(each.wait()) for each in events]
    try:
        await asyncio.wait(waiting, timeout=within, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for each in waiting:
            each.cancel()


def _jobs(house: House, clock: Clock) -> Iterator[Job]:
    yield from house.jobs
    if house.database is not None:
        database = house.database
        yield Job("housekeeping", _HOUSEKEEPING, lambda: db.housekeeping(database, clock()))


async def _repeat(service: str, job: Job, stop: asyncio.Event) -> None:
    while not stop.is_set():
        with telemetry.span(f"{service}.{job.name}"):
            try:
                await job.run()
            except Exception as error:  # noqa: BLE001 - a job that failed is tried again at its next time
                telemetry.log.error(f"{service}.{job.name}", door="clock", exc_info=error)
        await _first(stop, within=job.every.total_seconds())


class _Doors:
    """The HTTP and the gRPC door."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._http = Serving(house.http) if house.http is not None else None
        self._serving: asyncio.Task[None] | None = None

    async def open(self, group: asyncio.TaskGroup) -> Ports:
        """Open both, and tell where."""
        house, http, grpc = self._house, 0, 0
        if house.rpc is not None:
            grpc = await house.rpc.start(house.grpc_port, house.host)
        if self._http is not None and house.http is not None:
            house.http.state.readiness.checks.update(_checks(house))
            http = self._http.bind(house.host, house.http_port)
            self._serving = group.create_task(self._http.serve())
            await self._http.open.wait()
        return Ports(http, grpc)

    async def close(self) -> None:
        """Let nobody in any more; wait for those inside."""
        if self._house.http is not None:
            self._house.http.state.readiness.draining = True
        if self._http is not None:
            self._http.should_exit = True
        rpc = [self._house.rpc.stop(DRAIN)] if self._house.rpc else []
        await asyncio.gather(*rpc, *([self._serving] if self._serving else []))

    async def slam(self) -> None:
        """Shut at once what is still open: something broke."""
        if self._http is not None:
            self._http.slam()
        if self._house.rpc is not None:
            await self._house.rpc.stop(0)


def _checks(house: House) -> dict[str, Check]:
    # Peers are not asked: one service away must not take the others out of work.
    checks: dict[str, Check] = dict(house.ready)
    if house.database is not None:
        checks.setdefault("database", house.database.ping)
    if house.bus is not None:
        checks.setdefault("bus", house.bus.ready)
    return checks


@dataclass(frozen=True, slots=True)
class _Hallway:
    opened: Callable[..., AbstractAsyncContextManager[Any]]
    house: Callable[[Any], House]
    commands: Mapping[str, Callable[[Any], Awaitable[object]]]


def now() -> datetime:
    """Tell the time: the one place where it enters."""
    return datetime.now(UTC)


def main[S: Settings, A](
    name: str,
    settings: type[S],
    opened: Callable[..., AbstractAsyncContextManager[A]],
    house: Callable[[A], House],
    commands: Mapping[str, Callable[[A], Awaitable[object]]] | None = None,
) -> None:
    """Run what the command line asks for: serve (the usual), migrate, replay, or one of the service's own commands."""
    arguments = _arguments(name, commands or {})
    telemetry.setup(name)
    try:
        chosen = settings()
    except ValidationError as error:
        wrong = {".".join(map(str, each["loc"])): each["type"] for each in error.errors(include_input=False)}
        telemetry.log.critical("process.settings_wrong", service=name, settings=wrong)
        sys.exit(2)
    telemetry.log.info("process.settings", service=name, command=arguments.command, **chosen.describe())
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_command(name, chosen, _Hallway(opened, house, commands or {}), arguments))
    except Exception as error:  # noqa: BLE001 - said in the log's own shape, then the supervisor's turn
        telemetry.log.critical("process.failed", service=name, exc_info=error)
        sys.exit(1)
    finally:
        telemetry.shutdown()


def _arguments(name: str, commands: Mapping[str, object]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog=f"python -m {name}.main")
    verbs = parser.add_subparsers(dest="command")
    verbs.add_parser("serve").add_argument("--only", choices=PARTS)
    verbs.add_parser("migrate")
    verbs.add_parser("replay").add_argument("--consumer")
    for each in commands:
        verbs.add_parser(each)
    return parser.parse_args(sys.argv[1:] or ["serve"])


async def _command(name: str, settings: Settings, hallway: _Hallway, arguments: argparse.Namespace) -> None:
    if arguments.command == "migrate":
        await db.migrate(_database_url(settings), migrations(name), name)
        telemetry.log.info("process.migrated", service=name)
        return
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with hallway.opened(settings, clock=now, ids=uuid7) as app:
        if arguments.command == "serve":
            gc.collect()
            gc.freeze()
            await live(
                hallway.house(app), app, stop=stop, parts=(arguments.only,) if arguments.only else PARTS, clock=now
            )
        elif arguments.command == "replay":
            made = hallway.house(app)
            if made.database is None or made.subscriptions is None:
                raise RuntimeError(f"{name} listens to nothing")
            replayed = await deadletter.replay(made.database, made.subscriptions, app, made.store, arguments.consumer)
            telemetry.log.info("process.replayed", service=name, facts=replayed)
        else:
            await hallway.commands[arguments.command](app)


def _database_url(settings: Settings) -> str:
    url: object = settings.model_dump()["database_url"]
    return url.get_secret_value() if isinstance(url, SecretStr) else str(url)


def migrations(package: str) -> Path:
    """Find a service's migrations: beside its package."""
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise RuntimeError(f"no package {package}")
    return Path(spec.origin).parent.parent / "migrations"
