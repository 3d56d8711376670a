"""The runner's control socket: who runs, and stop, start, restart or kill by name.

One JSON object per line each way. Tests of faults use `Control`:

    control = Control.from_environment()
    await control.kill("workbench", "KILL")
    await control.wait_ready("workbench")
"""

import asyncio
import json
import os
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.runner.refusals import ControlRefused

LINE_LIMIT = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Status:
    name: str
    state: str
    pid: int | None
    restarts: int


@dataclass(frozen=True, slots=True)
class Control:
    socket: Path

    @classmethod
    def from_environment(cls) -> "Control":
        return cls(Path(os.environ["TONGBAN_CONTROL"]))

    async def status(self) -> dict[str, Status]:
        return {each["name"]: Status(**each) for each in (await self._ask(do="status"))["processes"]}

    async def phase(self) -> str:
        """How far the instance is: starting, servers, house, stopping."""
        return str((await self._ask(do="status"))["phase"])

    async def base(self) -> int:
        """The first of the ports that the instance was started on."""
        return int((await self._ask(do="status"))["base"])

    async def kill(self, name: str, number: str = "KILL") -> None:
        """Send a signal by its name (KILL, TERM, STOP, CONT); what dies is restarted."""
        await self._ask(do="kill", name=name, signal=number)

    async def stop(self, name: str) -> None:
        await self._ask(do="stop", name=name)

    async def start(self, name: str) -> None:
        await self._ask(do="start", name=name)

    async def restart(self, name: str) -> None:
        await self._ask(do="restart", name=name)

    async def wait_ready(self, name: str, within: float = 60) -> None:
        await self._ask(do="wait", name=name, within=within)

    async def _ask(self, **question: object) -> dict[str, Any]:
        reader, writer = await asyncio.open_unix_connection(self.socket, limit=LINE_LIMIT)
        try:
            writer.write(json.dumps(question).encode() + b"\n")
            line = await reader.readline()
        finally:
            writer.close()
        if not line:
            raise ControlRefused("the runner has gone away")
        answer: dict[str, Any] = json.loads(line)
        if "refused" in answer:
            raise ControlRefused(answer["refused"])
        return answer


def signal_named(name: str) -> signal.Signals:
    try:
        return signal.Signals[f"SIG{name.removeprefix('SIG')}"]
    except KeyError:
        raise ControlRefused(f"there is no signal {name}") from None
