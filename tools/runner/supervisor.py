"""Keeps an instance's processes alive, and ends them all, last started first."""

import asyncio
import contextlib
import fcntl
import json
import logging
import os
import signal
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psutil

from tools.runner.control import LINE_LIMIT, Control, signal_named
from tools.runner.forking import Nursery
from tools.runner.instance import Instance, write_private
from tools.runner.processes import Child, Program, signal_group, spawn, tail
from tools.runner.refusals import AlreadyRunning, ControlRefused, Refused, StartFailed

log = logging.getLogger("runner")

LEFTOVER_PATIENCE = 10


class Supervisor:
    """`async with Supervisor(instance) as house:` whatever was started inside is stopped on the way out."""

    def __init__(self, instance: Instance, *, fresh: bool = False) -> None:
        self.fresh = fresh
        self.instance = instance
        self.phase = "starting"
        self.children: dict[str, Child] = {}
        self.nursery = Nursery(instance.logs / "nursery.log")
        self._lock: int | None = None
        self._door: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self.instance.make_folders()
        self._lock = take_lock(self.instance)
        await end_leftovers(self.instance)
        if self.fresh:
            self.instance.forget()
            self.instance.make_folders()
        _ = self.instance.secrets  # made before several tasks ask for them at once
        self.instance.control.unlink(missing_ok=True)
        self._door = await asyncio.start_unix_server(self._answer, self.instance.control, limit=LINE_LIMIT)
        self.instance.control.chmod(0o600)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.phase = "stopping"
        for child in reversed(self.children.values()):
            await child.stop()
        await self.nursery.stop()
        if self._door:
            self._door.close()
        self.instance.control.unlink(missing_ok=True)
        self._leftovers.unlink(missing_ok=True)
        if self._lock is not None:
            os.close(self._lock)

    async def start(self, program: Program) -> Child:
        """Start a process and return when it is ready; from then on it is kept alive."""
        child = Child(program, self.instance.logs, self._note, nursery=self.nursery)
        self.children[program.name] = child
        await child.start()
        return child

    async def run(self, name: str, command: Iterable[str], environment: dict[str, str]) -> None:
        """Run a command to its end, its output into a log of its own."""
        file = self.instance.logs / f"{name}.log"
        file.unlink(missing_ok=True)
        process = await spawn(tuple(command), environment, file, self.nursery)
        try:
            code = await process.wait()
        except asyncio.CancelledError:
            signal_group(process.pid, signal.SIGKILL)
            await process.wait()
            raise
        if code:
            raise StartFailed(f"{name} failed with exit code {code}. The end of {file}:\n{tail(file)}")

    @property
    def _leftovers(self) -> Path:
        return self.instance.home / "processes.json"

    def _note(self) -> None:
        """Who runs, for a later runner in case this one is killed and cannot tidy up."""
        running = {name: _identity(child.pid) for name, child in self.children.items() if child.pid}
        write_private(self._leftovers, json.dumps(running))

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            async for line in reader:
                try:
                    answer = await self._obey(json.loads(line))
                except (Refused, LookupError, ValueError, TimeoutError) as refusal:
                    answer = {"refused": str(refusal) or type(refusal).__name__}
                writer.write(json.dumps(answer).encode() + b"\n")
                await writer.drain()
            writer.close()

    async def _obey(self, question: dict[str, Any]) -> dict[str, Any]:
        if question["do"] == "status":
            processes = [_status(child) for child in self.children.values()]
            return {"phase": self.phase, "base": self.instance.base, "processes": processes}
        if self.phase == "stopping":
            raise ControlRefused("the instance is stopping")
        child = self.children.get(question["name"])
        if child is None:
            raise ControlRefused(f"no process is named {question['name']}; there are: {', '.join(self.children)}")
        match question["do"]:
            case "kill":
                child.kill(signal_named(question["signal"]))
            case "stop":
                await child.stop()
            case "start":
                await child.start()
            case "restart":
                await child.stop()
                await child.start()
            case "wait":
                await child.wait_ready(question["within"])
            case unknown:
                raise ControlRefused(f"there is no command {unknown}")
        return _status(child)


def take_lock(instance: Instance) -> int:
    """Held as long as the runner lives, however it ends; one runner per instance."""
    lock = os.open(instance.home / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise AlreadyRunning(f"The instance {instance.name} is already running.") from None
    return lock


async def running(instance: Instance) -> Control | None:
    """The control of a runner that already holds this instance."""
    control = Control(instance.control)
    try:
        await control.status()
    except (OSError, ControlRefused):
        return None
    return control


async def end_leftovers(instance: Instance) -> None:
    """End what a killed runner has left behind; a process is known by its pid and when it began."""
    file = instance.home / "processes.json"
    if not file.exists():
        return
    left = []
    for name, (pid, began) in json.loads(file.read_text()).items():
        if _identity(pid) == [pid, began]:
            log.warning("%s (pid %d) was left behind by a runner that was killed; ending it", name, pid)
            with contextlib.suppress(psutil.NoSuchProcess):
                process = psutil.Process(pid)
                left += [process, *process.children(recursive=True)]
                process.terminate()
    _, alive = await asyncio.to_thread(psutil.wait_procs, left, timeout=LEFTOVER_PATIENCE)
    for process in alive:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    file.unlink()


def _identity(pid: int | None) -> list[float] | None:
    try:
        return [pid, psutil.Process(pid).create_time()] if pid else None
    except psutil.NoSuchProcess:
        return None


def _status(child: Child) -> dict[str, object]:
    return {"name": child.program.name, "state": child.state, "pid": child.pid, "restarts": child.restarts}
