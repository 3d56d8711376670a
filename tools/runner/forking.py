"""The runner's side of the nursery: Python programs forked instead of started, watched like any other process."""

import asyncio
import contextlib
import itertools
import json
import os
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from tools.runner.instance import ROOT
from tools.runner.refusals import StartFailed

LINE_LIMIT = 1024 * 1024


class Running(Protocol):
    """A process, whoever its parent is."""

    @property
    def pid(self) -> int: ...
    @property
    def returncode(self) -> int | None: ...
    async def wait(self) -> int: ...


class Forked:
    """A child of the nursery."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._ended = asyncio.Event()

    async def wait(self) -> int:
        await self._ended.wait()
        return -signal.SIGKILL if self.returncode is None else self.returncode

    def end(self, code: int) -> None:
        self.returncode = code
        self._ended.set()


class Nursery:
    """Starts with its first order, and again if it has died. What is to be run often may be imported besides."""

    def __init__(self, log_file: Path, besides: Sequence[str] = ()) -> None:
        self.log_file = log_file
        self._besides = besides
        self._process: asyncio.subprocess.Process | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._listener: asyncio.Task[None] | None = None
        self._starting = asyncio.Lock()
        self._numbers = itertools.count()
        self._asked: dict[int, asyncio.Future[Forked]] = {}
        self._children: dict[int, Forked] = {}

    @staticmethod
    def is_of_use() -> bool:
        # macOS aborts a forked process that touches its frameworks
        return sys.platform == "linux" and "TONGBAN_NO_FORK" not in os.environ

    @classmethod
    def can_run(cls, command: Sequence[str]) -> bool:
        return cls.is_of_use() and command[:2] == (sys.executable, "-m")

    async def start(self) -> None:
        async with self._starting:
            if self._writer is None:
                await self._begin()

    async def fork(self, command: Sequence[str], environment: Mapping[str, str], output: Path) -> Forked:
        await self.start()
        number = next(self._numbers)
        self._asked[number] = asyncio.get_running_loop().create_future()
        order = {
            "order": number,
            "arguments": command[2:],
            "environment": dict(environment),
            "output": str(output),
        }
        if self._writer is None:
            raise StartFailed("the nursery has died")
        self._writer.write(json.dumps(order).encode() + b"\n")
        return await self._asked[number]

    async def stop(self) -> None:
        if self._writer:
            self._writer.close()
        if self._listener:
            await self._listener
        if self._process:
            await self._process.wait()

    async def _begin(self) -> None:
        ours, theirs = socket.socketpair()
        with self.log_file.open("ab") as out, theirs:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "tools.runner.nursery", str(theirs.fileno()), *self._besides,
                cwd=ROOT, pass_fds=[theirs.fileno()], start_new_session=True,
                stdin=asyncio.subprocess.DEVNULL, stdout=out, stderr=out,
            )  # fmt: skip
        reader, self._writer = await asyncio.open_connection(sock=ours, limit=LINE_LIMIT)
        if not await reader.readline():
            raise StartFailed(f"the nursery ended while starting: see {self.log_file}")
        self._listener = asyncio.create_task(self._listen(reader), name="nursery")

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        with contextlib.suppress(ConnectionError):
            async for line in reader:
                self._hear(json.loads(line))
        # it ended with us, or was killed: its children are nobody's now
        self._writer = None
        for child in self._children.values():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            child.end(-signal.SIGKILL)
        self._children.clear()
        for asked in self._asked.values():
            asked.set_exception(StartFailed("the nursery has died"))
        self._asked.clear()

    def _hear(self, words: dict[str, Any]) -> None:
        if "ended" in words:
            self._children.pop(words["ended"]).end(words["code"])
        else:
            child = self._children[words["pid"]] = Forked(words["pid"])
            self._asked.pop(words["order"]).set_result(child)
