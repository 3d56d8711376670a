"""The chaos: which process is killed, frozen or restarted after how much work. The same seed gives the same order."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from faults import storage
from faults.armed import Armed
from faults.ledger import Ledger
from tools.runner.control import Control
from tools.runner.refusals import ControlRefused

# how often each is chosen, in parts; Keycloak starts slowly, and people log in rarely
VICTIMS = {
    "orchestration": 6,
    "workbench": 4,
    "verification": 4,
    "accounts": 3,
    "gateway": 4,
    "department": 3,
    "nats": 4,
    "postgres": 3,
    "redis": 3,
    "keycloak": 1,
}
FREEZE = (0.5, 6.0)
# the house stands still, or has nothing to do: the next fault comes all the same
PATIENCE = 20.0
BACK_WITHIN = 120
# so many services die at once; the others are needed to bring them to their points
DYING = 3


class Kind(StrEnum):
    """How a process is broken."""

    KILL = "kill"  # SIGKILL: nothing is tidied up
    SHUTDOWN = "shutdown"  # PostgreSQL's immediate shutdown (SIGQUIT)
    FREEZE = "freeze"  # SIGSTOP, and SIGCONT after a while
    RESTART = "restart"  # SIGTERM, as a release does it
    AWAY = "away"  # stopped, and started after a while
    WIPE = "wipe"  # stopped, its data forgotten, and started
    CRASH = "crash"  # SIGKILL of itself, at a named point
    OLDER = "older"  # its data as they were a while ago: stopped, put back, and started
    FULL = "full"  # no room left on its disk for a while
    CLOCK = "clock"  # started with a clock that is off, and after a while with the right one


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault to come, after that many acts were answered."""

    after: int
    victim: str
    kind: Kind
    seconds: float = 0.0
    # where it dies, or how far its clock is off
    point: str = ""


@dataclass(frozen=True, slots=True)
class Recovery:
    """A fault that was, and how long its process was away."""

    fault: Fault
    seconds: float


def planned(seed: int, count: int, acts: int, victims: Sequence[str] = tuple(VICTIMS)) -> list[Fault]:
    """Faults spread over the work to be done. Each victim falls once before chance decides."""
    chance = random.Random(seed)  # noqa: S311 - to be repeated, not to be secret
    first = chance.sample(list(victims), k=min(count, len(victims)))
    more = chance.choices(list(victims), [VICTIMS[name] for name in victims], k=max(0, count - len(first)))
    return [
        _fault(chance, name, round((place + chance.random()) * acts / (count + 1)))
        for place, name in enumerate((*first, *more))
    ]


def _fault(chance: random.Random, victim: str, after: int) -> Fault:
    sudden = Kind.SHUTDOWN if victim == "postgres" and chance.random() < 0.5 else Kind.KILL  # noqa: PLR2004 - a coin
    kind = chance.choices([sudden, Kind.FREEZE, Kind.RESTART], [6, 3, 2])[0]
    return Fault(after, victim, kind, round(chance.uniform(*FREEZE), 2) if kind is Kind.FREEZE else 0.0)


@dataclass(slots=True)
class Agent:
    """Carries out the plan, several faults at once if they come so; one process suffers one at a time."""

    control: Control
    armed: Armed
    ledger: Ledger
    clock: Callable[[], float]
    recoveries: list[Recovery] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    # what is broken now, and which process that is
    under_way: dict[str, str] = field(default_factory=dict)
    _locks: dict[str, asyncio.Lock] = field(default_factory=dict)

    async def work(self, plan: Sequence[Fault]) -> None:
        waited_from = self.clock()
        async with asyncio.TaskGroup() as group:
            for fault in plan:
                while self.ledger.moves < fault.after and self.clock() - waited_from < PATIENCE:
                    await asyncio.sleep(0.05)
                waited_from = self.clock()
                group.create_task(self._suffer(fault))

    async def die_at_each(self, points: Mapping[str, Sequence[str]]) -> None:
        """Let each service die at each of its points, several beside each other, who has most to do first."""
        gate = asyncio.Semaphore(DYING)
        async with asyncio.TaskGroup() as group:
            for service, found in sorted(points.items(), key=lambda each: -len(each[1])):
                group.create_task(self._die(service, found, gate))

    async def mend(self) -> None:
        """Bring back whatever was broken when the work was broken off."""
        for victim in self.under_way.values():
            with contextlib.suppress(ControlRefused, OSError):
                await self.control.kill(victim, "CONT")
            with contextlib.suppress(ControlRefused, OSError):
                await self.control.start(victim)

    async def _die(self, service: str, points: Sequence[str], gate: asyncio.Semaphore) -> None:
        def died(point: str, seconds: float, wrong: str) -> None:
            self.recoveries.append(Recovery(Fault(0, service, Kind.CRASH, point=point), seconds))
            self._note(point, seconds, wrong)

        async with gate, self._suffering(f"{service} {Kind.CRASH}", service):
            await self.armed.crash(self.control, service, points, died)
            await self.control.wait_ready(service, BACK_WITHIN)

    async def _suffer(self, fault: Fault) -> None:
        async with self._suffering(f"{fault.victim} {fault.kind} {fault.point}".strip(), fault.victim):
            began = self.clock()
            try:
                await self._break(fault)
                await self.control.wait_ready(fault.victim, BACK_WITHIN)
            finally:
                self.recoveries.append(Recovery(fault, self.clock() - began))

    @contextlib.asynccontextmanager
    async def _suffering(self, what: str, victim: str) -> AsyncIterator[None]:
        """One at a time of each; what does not come back is told."""
        async with self._locks.setdefault(victim, asyncio.Lock()):
            self.under_way[what] = victim
            try:
                yield
            except (ControlRefused, TimeoutError) as refused:
                self.lost.append(f"{what}: {refused}")
            del self.under_way[what]

    async def _break(self, fault: Fault) -> None:
        match fault.kind:
            case Kind.KILL | Kind.SHUTDOWN:
                before = await self._restarts(fault.victim)
                await self.control.kill(fault.victim, "KILL" if fault.kind is Kind.KILL else "QUIT")
                async with asyncio.timeout(BACK_WITHIN):
                    while await self._restarts(fault.victim) == before:
                        await asyncio.sleep(0.05)
            case Kind.RESTART:
                await self.control.restart(fault.victim)
            case Kind.AWAY:
                await self.control.stop(fault.victim)
                await asyncio.sleep(fault.seconds)
                await self.control.start(fault.victim)
            case Kind.FREEZE:
                await self.control.kill(fault.victim, "STOP")
                await asyncio.sleep(fault.seconds)
                await self.control.kill(fault.victim, "CONT")
            case _:
                await self._estrange(fault)

    async def _estrange(self, fault: Fault) -> None:
        """Put something else in the place of what it stands on: its data, its disk, its clock, its code."""
        match fault.kind:
            case Kind.WIPE:
                await storage.wipe(self.control, fault.victim)
            case Kind.CRASH:
                await self.armed.crash(self.control, fault.victim, [fault.point], self._note)
            case Kind.OLDER:
                await storage.go_back(self.control, fault.victim, fault.seconds)
            case Kind.FULL:
                await storage.fill(self.control, fault.victim, fault.seconds)
            case Kind.CLOCK:
                await self.armed.with_another_clock(self.control, fault.victim, fault.point, fault.seconds)
            case unknown:
                raise ValueError(unknown)

    def _note(self, _point: str, _seconds: float, wrong: str) -> None:
        if wrong:
            self.lost.append(wrong)

    async def _restarts(self, name: str) -> int:
        return (await self.control.status())[name].restarts
