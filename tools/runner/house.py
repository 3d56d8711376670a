"""Brings the house up: servers, then what must be prepared, then the services of the Procfile."""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from tools.runner import databases, ports, readiness, servers
from tools.runner.environment import HOST, environment, program_environment, service_environment
from tools.runner.forking import Nursery
from tools.runner.processes import Program
from tools.runner.sequence import PREPARATION, SERVER_AFTER, Service, Step
from tools.runner.supervisor import Supervisor

Say = Callable[[str], None]
FRONT_DOOR = "gateway"


class Job(NamedTuple):
    after: Sequence[str]
    run: Callable[[], Awaitable[None]]


class House:
    """What `run`, `servers` and `exec` have in common."""

    def __init__(self, supervisor: Supervisor, say: Say, *, throw_away: bool = False, keycloak: bool = True) -> None:
        self.supervisor = supervisor
        self.instance = supervisor.instance
        self.say = say
        self.throw_away = throw_away
        self.ours = servers.ours(keycloak=keycloak)
        self.wanted = [name for name in servers.SERVERS if keycloak or name != "keycloak"]

    def check_ports(self, services: Sequence[Service] = ()) -> None:
        parts = [part for server in self.ours for part in servers.PORTS[server]]
        parts += [part for each in services for part in (each.name, f"{each.name}-grpc") if part in ports.OFFSETS]
        ports.check_free(self.instance.base, parts)

    async def bring_up_servers(self) -> None:
        await run_in_order(self._server_jobs())
        self.supervisor.phase = "servers"

    async def bring_up(self, services: Sequence[Service], steps: Sequence[Step] = PREPARATION) -> None:
        """Everything. Services start together (each waits for nobody), and the front door opens last."""
        jobs = self._server_jobs()
        if Nursery.is_of_use():
            # while the first servers start, the libraries are imported
            jobs["nursery"] = Job((), self.supervisor.nursery.start)
        for step in steps:
            if "keycloak" not in step.after or "keycloak" in self.wanted:
                jobs[step.name] = Job((*step.after, "nursery"), partial(self._run_step, step))
        prepared = tuple(jobs)
        others = tuple(each.name for each in services if each.name != FRONT_DOOR)
        for each in services:
            after = (*prepared, *others) if each.name == FRONT_DOOR else prepared
            jobs[each.name] = Job(after, partial(self._start_service, each))
        await run_in_order(jobs)
        self.supervisor.phase = "house"

    def _server_jobs(self) -> dict[str, Job]:
        return {name: Job(SERVER_AFTER[name], partial(self._start_server, name)) for name in self.wanted}

    async def _start_server(self, name: str) -> None:
        began = time.monotonic()
        if name in self.ours:
            match name:
                case "postgres":
                    # initdb takes a second or two: the others start meanwhile
                    make = partial(servers.postgres, self.instance, durable=not self.throw_away)
                    await self.supervisor.start(await asyncio.to_thread(make))
                case "keycloak":
                    await self._start_keycloak()
                case _:
                    await self.supervisor.start(servers.program(self.instance, name))
        if name == "postgres":
            await databases.make(self.instance)
        self._report(name, "ready" if name in self.ours else "is somebody else's", began)

    async def _start_keycloak(self) -> None:
        template = databases.KeycloakTemplate()
        fresh = self.throw_away and await databases.is_empty(self.instance, "keycloak")
        restored = fresh and await template.restore(self.instance)
        await self.supervisor.start(servers.keycloak(self.instance))
        if fresh and not restored:
            await template.save(self.instance)

    async def _run_step(self, step: Step) -> None:
        began = time.monotonic()
        names = service_environment(self.instance, step.owner) if step.owner else environment(self.instance)
        await self.supervisor.run(step.name, step.argv(), {**os.environ, **names})
        self._report(step.name, "done", began)

    async def _start_service(self, service: Service) -> None:
        began = time.monotonic()
        names = program_environment(self.instance, service.name)
        ready = readiness.answers_http(f"http://{HOST}:{self.instance.port(service.name)}/readyz")
        await self.supervisor.start(Program(service.name, service.command, {**os.environ, **names}, ready))
        self._report(service.name, "ready", began)

    def _report(self, name: str, what: str, began: float) -> None:
        self.say(f"  {name:<22} {what} ({time.monotonic() - began:.1f} s)")


async def run_in_order(jobs: Mapping[str, Job]) -> None:
    """Each job as soon as those before it are done, side by side; the first failure ends the others."""
    done = {name: asyncio.Event() for name in jobs}

    async def run(name: str, job: Job) -> None:
        for before in job.after:
            if before in done:
                await done[before].wait()
        await job.run()
        done[name].set()

    async with asyncio.TaskGroup() as group:
        for name, job in jobs.items():
            group.create_task(run(name, job), name=name)
