"""Services that will die at a named point, started in the place of those that the runner keeps alive."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

from faults.points import AT, NOTES
from tools.runner.control import Control
from tools.runner.forking import Nursery, Running
from tools.runner.processes import signal_group, spawn
from tools.runner.refusals import ControlRefused

REACHED_WITHIN = 60
LEAVES_WITHIN = 15
LIBRARIES = tuple(
    Path("/usr/lib") / each / "faketime/libfaketimeMT.so.1" for each in ("x86_64-linux-gnu", "aarch64-linux-gnu")
)
# what would come once in minutes comes all the time: a session's tokens are renewed
HASTENED = {"gateway": {"GATEWAY_RENEW_AHEAD": "PT290S"}}

type Died = Callable[[str, float, str], None]


class Armed:
    """Starts services with a point in them; all names are in the environment of a command beside the house."""

    def __init__(self, home: Path) -> None:
        self._logs = home / "logs"
        # a service dies and begins again a hundred times: it is imported once
        self._nurseries: dict[str, Nursery] = {}

    async def close(self) -> None:
        for nursery in self._nurseries.values():
            await nursery.stop()

    async def begin(self, service: str, *, at: str = "", notes: Path | None = None) -> Running:
        names = {**os.environ, **HASTENED.get(service, {}), AT: at, NOTES: str(notes or "")}
        module = module_of(service)
        nursery = self._nurseries.setdefault(service, Nursery(self._logs / "armed.log", ("faults.crashpoints", module)))
        command = (sys.executable, "-m", "faults.crashpoints", module)
        return await spawn(command, names, self._logs / f"{service}.log", nursery)

    async def crash(self, control: Control, service: str, points: Iterable[str], died: Died) -> None:
        """Let a service live until it comes to each of the points in turn, and start it again as it was.

        What is told of each: how long it lived, and what went wrong, if anything.
        """
        clock = asyncio.get_running_loop().time
        await control.stop(service)
        try:
            # what nobody came past in time, because others were away too, is tried once more
            for last in (False, True):
                missed = []
                for point in points:
                    began = clock()
                    wrong = await self._die(service, point)
                    if wrong and not last:
                        missed.append(point)
                    else:
                        died(point, clock() - began, wrong)
                points = missed
        finally:
            await control.start(service)

    async def _die(self, service: str, point: str) -> str:
        process = await self.begin(service, at=point)
        try:
            async with asyncio.timeout(REACHED_WITHIN):
                code = await process.wait()
        except TimeoutError:
            return f"{service} never came to: {point}"
        finally:
            signal_group(process.pid, signal.SIGKILL)
            await process.wait()
        return "" if code == -signal.SIGKILL else f"{service} ended with {code} before it came to: {point}"

    async def with_another_clock(self, control: Control, service: str, off: str, seconds: float) -> None:
        """Let a service live for a while with a clock that is off by so much (`+1h`), and start it again as it was."""
        library = next((each for each in LIBRARIES if each.exists()), None)
        if library is None:
            raise ControlRefused("libfaketime is not installed: no clock can be put wrong")
        await control.stop(service)
        # started, not forked: the library must be there first; what counts seconds goes on rightly
        names = {**os.environ, "LD_PRELOAD": str(library), "FAKETIME": off, "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
        process = await spawn((sys.executable, "-m", module_of(service)), names, self._logs / f"{service}.log")
        try:
            async with asyncio.timeout(REACHED_WITHIN):
                while process.returncode is None and not await answers(service):
                    await asyncio.sleep(0.2)
            await asyncio.sleep(seconds)
            alive = process.returncode is None
        finally:
            signal_group(process.pid, signal.SIGKILL)
            await process.wait()
            await control.start(service)
        if not alive:
            raise ControlRefused(f"{service} did not live with a clock that is off by {off}")

    @asynccontextmanager
    async def noting(self, control: Control, services: list[str], folder: Path) -> AsyncIterator[None]:
        """Beside the block, services note the points that they pass, each in a file of its name."""
        processes = {}
        try:
            for service in services:
                await control.stop(service)
                processes[service] = await self.begin(service, notes=folder / service)
            yield
        finally:
            for service, process in processes.items():
                signal_group(process.pid, signal.SIGTERM)
                try:
                    await asyncio.wait_for(process.wait(), LEAVES_WITHIN)
                except TimeoutError:
                    signal_group(process.pid, signal.SIGKILL)
                    await process.wait()
                await control.start(service)


async def answers(program: str) -> bool:
    """Whether it listens at its door, ready or not."""
    name = program.upper()
    port = os.environ.get(f"{name}_HTTP_PORT") or os.environ[f"{name}_PORT"]
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", int(port))
    except OSError:
        return False
    writer.close()
    return True


def module_of(program: str) -> str:
    return "demo.department" if program == "department" else f"{program}.main"
