"""The life of a service's process: open, work, drain, close. One task group; whatever ends unasked ends it all."""

import argparse
import asyncio
import gc
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from uuid import UUID

import uvicorn
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

PARTS = ("doors", "relay", "consumers", "jobs")
_DRAIN = 25
_HOUSEKEEPING = timedelta(hours=1)

type Clock = Callable[[], datetime]
type Ids = Callable[[], UUID]
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


class _Http(uvicorn.Server):
    """uvicorn without its own ideas about signals."""

    def __init__(self, api: FastAPI) -> None:
        super().__init__(
            uvicorn.Config(
                api,
                loop="none",
                http="httptools",
                ws="none",
                lifespan="off",
                access_log=False,
                server_header=False,
                log_config=None,
                proxy_headers=False,
                timeout_keep_alive=75,
                timeout_graceful_shutdown=_DRAIN,
            )
        )
        self.open = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.open.set()


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
    workers_stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        if house.bus is not None:
            await _connect(house, house.bus)
            group.create_task(_watch(house.bus, workers_stop))
        workers = [group.create_task(each) for each in _workers(house, app, parts, clock, workers_stop)]
        doors = _Doors(house) if "doors" in parts else None
        opened(await doors.open(group) if doors else Ports())
        telemetry.log.info("process.opened", service=house.name, parts=list(parts))
        await stop.wait()
        telemetry.log.info("process.draining", service=house.name)
        async with asyncio.timeout(_DRAIN + 5):
            # The doors first: what they still carry out leaves facts for the relay.
            if doors:
                await doors.close()
            workers_stop.set()
            await asyncio.gather(*workers)
    telemetry.log.info("process.closed", service=house.name)


async def _connect(house: House, bus: Bus) -> None:
    try:
        await bus.ready()
    except Unavailable:
        await bus.connect()  # unless the service did so when it opened
    await bus.ensure_stream(house.name)
    if house.database is not None:
        house.database.kick = partial(bus.kick, house.name)


async def _watch(bus: Bus, stop: asyncio.Event) -> None:
    ends = [asyncio.create_task(each.wait()) for each in (bus.closed, stop)]
    await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    for each in ends:
        each.cancel()
    if not stop.is_set():
        raise ConnectionError("the bus closed for good")


def _workers(house: House, app: object, parts: Sequence[str], clock: Clock, stop: asyncio.Event) -> Iterator[Any]:
    if "relay" in parts and house.database is not None and house.bus is not None:
        yield relay.run(house.database, house.bus, house.name, stop=stop)
    if "consumers" in parts and house.bus is not None:
        for subscription in house.subscriptions or ():
            yield consumer.run(subscription, app, house.store, house.bus, stop=stop)
    if "jobs" in parts:
        for job in house.jobs:
            yield _repeat(house.name, job, stop)
        if house.database is not None:
            database = house.database
            housekeeping = Job("housekeeping", _HOUSEKEEPING, lambda: db.housekeeping(database, clock()))
            yield _repeat(house.name, housekeeping, stop)


async def _repeat(service: str, job: Job, stop: asyncio.Event) -> None:
    while not stop.is_set():
        with telemetry.span(f"{service}.{job.name}"):
            try:
                await job.run()
            except Exception as error:  # noqa: BLE001 - a job that failed is tried again at its next time
                telemetry.log.error(f"{service}.{job.name}", door="clock", exc_info=error)
        try:
            await asyncio.wait_for(stop.wait(), job.every.total_seconds())
        except TimeoutError:
            continue


class _Doors:
    """The HTTP and the gRPC door."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._http = _Http(house.http) if house.http is not None else None
        self._serving: asyncio.Task[None] | None = None

    async def open(self, group: asyncio.TaskGroup) -> Ports:
        """Open both, and tell where."""
        house, http, grpc = self._house, 0, 0
        if house.rpc is not None:
            grpc = await house.rpc.start(house.grpc_port, house.host)
        if self._http is not None and house.http is not None:
            house.http.state.readiness.checks.update(_checks(house))
            bound = socket.create_server((house.host, house.http_port), backlog=2048)
            self._serving = group.create_task(self._http.serve(sockets=[bound]))
            await self._http.open.wait()
            http = bound.getsockname()[1]
        return Ports(http, grpc)

    async def close(self) -> None:
        """Let nobody in any more; wait for those inside."""
        house = self._house
        if house.http is not None:
            house.http.state.readiness.draining = True
        if self._http is not None:
            self._http.should_exit = True
        await asyncio.gather(
            *([house.rpc.stop(_DRAIN)] if house.rpc else []), *([self._serving] if self._serving else [])
        )


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
