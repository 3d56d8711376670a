"""One child process: started, found ready, restarted when it dies, stopped."""

import asyncio
import contextlib
import logging
import os
import signal
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

import psutil

from tools.runner.forking import Nursery, Running
from tools.runner.instance import ROOT
from tools.runner.refusals import ControlRefused, StartFailed

log = logging.getLogger("runner")

FIRST_BACKOFF = 0.2
LONGEST_BACKOFF = 10.0
# a process that lived this long is not in a crash loop: its next death is answered at once again
STEADY_AFTER = 30.0
# a new log begins when the old one has grown to this size; one old one is kept
LOG_LIMIT = 20 * 1024 * 1024


class State(StrEnum):
    STARTING = "starting"
    READY = "ready"
    WAITING = "waiting"  # died, to be started again after the backoff
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Program:
    """What to start and how to know that it answers."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    ready: Callable[[], Awaitable[bool]]
    ready_within: float = 60
    poll: float = 0.05
    stop_signal: signal.Signals = signal.SIGTERM
    stop_within: float = 15


@dataclass(slots=True)
class Child:
    program: Program
    logs: Path
    on_change: Callable[[], None]
    state: State = State.STOPPED
    nursery: Nursery | None = None
    process: Running | None = None
    restarts: int = 0
    watch: asyncio.Task[None] | None = None
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def pid(self) -> int | None:
        return self.process.pid if self.process and self.process.returncode is None else None

    @property
    def log_file(self) -> Path:
        return self.logs / f"{self.program.name}.log"

    async def start(self) -> None:
        """Start and return when ready; a process that dies while we wait is a refusal, not a restart."""
        if self.watch and not self.watch.done():
            return
        self._move(State.STARTING)
        await self._spawn()
        try:
            await self._become_ready(once=True)
        except BaseException:
            await self._end()
            self._move(State.STOPPED)
            raise
        self.watch = asyncio.create_task(self._keep_alive(), name=f"watch {self.program.name}")

    async def stop(self) -> None:
        if self.watch:
            self.watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self.watch
            self.watch = None
        await self._end()
        self._move(State.STOPPED)

    def kill(self, number: signal.Signals) -> None:
        """Send a signal as a fault would: what dies of it is restarted."""
        if self.pid is None:
            raise ControlRefused(f"{self.program.name} is not running")
        # the whole group: a start script would otherwise keep the real program alive
        os.killpg(self.pid, number)
        if number in (signal.SIGSTOP, signal.SIGCONT):
            # PostgreSQL's children have groups of their own, and would work on without their parent
            for each in psutil.Process(self.pid).children(recursive=True):
                with contextlib.suppress(psutil.NoSuchProcess):
                    each.send_signal(number)

    async def wait_ready(self, within: float) -> None:
        async with asyncio.timeout(within):
            while self.state is not State.READY:
                self.changed.clear()
                await self.changed.wait()

    async def _spawn(self) -> None:
        if self.log_file.exists() and self.log_file.stat().st_size > LOG_LIMIT:
            self.log_file.replace(self.log_file.with_suffix(".log.1"))
        self.process = await spawn(self.program.command, self.program.environment, self.log_file, self.nursery)
        self.on_change()

    async def _become_ready(self, *, once: bool) -> None:
        deadline = time.monotonic() + self.program.ready_within
        while not await self._answers():
            if self.process is None or self.process.returncode is not None:
                if once:
                    raise StartFailed(self._explain("ended while starting"))
                return
            if once and time.monotonic() > deadline:
                raise StartFailed(self._explain(f"was not ready within {self.program.ready_within:g} s"))
            await asyncio.sleep(self.program.poll)
        self._move(State.READY)

    async def _answers(self) -> bool:
        try:
            return await asyncio.wait_for(self.program.ready(), timeout=2)
        except (OSError, TimeoutError):
            return False

    async def _keep_alive(self) -> None:
        backoff = FIRST_BACKOFF
        while self.process:
            began = time.monotonic()
            code = await self.process.wait()
            if time.monotonic() - began > STEADY_AFTER:
                backoff = FIRST_BACKOFF
            self._move(State.WAITING)
            log.warning("%s died (%s); starting it again in %.1f s", self.program.name, describe_exit(code), backoff)
            await self._end()
            await asyncio.sleep(backoff)
            backoff = min(backoff * 2, LONGEST_BACKOFF)
            self.restarts += 1
            self._move(State.STARTING)
            try:
                await self._spawn()
            except (StartFailed, OSError) as failure:
                log.warning("%s could not be started: %s", self.program.name, failure)
                continue
            await self._become_ready(once=False)
            if self.state is State.READY:
                log.warning("%s is back", self.program.name)

    async def _end(self) -> None:
        """End the process and whatever is left of its group."""
        if self.process is None:
            return
        group = self.process.pid
        if self.process.returncode is None:
            signal_group(group, self.program.stop_signal)
            signal_group(group, signal.SIGCONT)  # a process that a test has frozen could not obey
            try:
                await asyncio.wait_for(self.process.wait(), timeout=self.program.stop_within)
            except TimeoutError:
                log.warning("%s did not stop in time and is killed", self.program.name)
        signal_group(group, signal.SIGKILL)
        await self.process.wait()

    def _move(self, state: State) -> None:
        self.state = state
        self.changed.set()
        self.on_change()

    def _explain(self, what: str) -> str:
        return f"{self.program.name} {what}. The end of {self.log_file}:\n{tail(self.log_file)}"


async def spawn(
    command: tuple[str, ...], environment: Mapping[str, str], output: Path, nursery: Nursery | None = None
) -> Running:
    """Forked from the nursery if it can be, else started; either way in a group of its own, writing into a file."""
    if nursery and nursery.can_run(command):
        return await nursery.fork(command, environment, output)
    with output.open("ab") as out:
        return await asyncio.create_subprocess_exec(
            *command,
            cwd=ROOT,
            env=environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=out,
            stderr=asyncio.subprocess.STDOUT,
            # Ctrl-C in the terminal reaches the runner alone, which stops the others in order
            start_new_session=True,
        )


def describe_exit(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


def tail(file: Path, lines: int = 20) -> str:
    if not file.exists():
        return "  (empty)"
    return "\n".join(f"  {line}" for line in file.read_text(errors="replace").splitlines()[-lines:])


def signal_group(group: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)
