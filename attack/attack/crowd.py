"""Thousands who hold a connection and ask for nothing: `python -m attack.crowd --connections 10000`, beside a house.

A third says nothing, a third half a head, a third a header every few seconds. Whoever is shown out comes back at once.
"""

import argparse
import asyncio
import json
import resource
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import psutil
from demo.browser import Browser
from demo.people import credentials
from demo.settings import Settings as DemoSettings

from attack.wire import Wire
from demo import loader
from tools.runner.control import Control

# sources of their own, so that no address runs out of ports
SOURCES = 8
AT_ONCE = 250
DRIP = 4.0
BACK_AFTER = 0.2
EVERY = 0.25
ME = "accounts/v1/me"
HALF = b"GET / HTTP/1.1\r\nHost: loc"
KINDS = (b"", HALF, HALF + b"alhost\r\n")


class _Stander(asyncio.Protocol):
    """One of them."""

    def __init__(self, crowd: "Crowd", said: bytes, *, drips: bool) -> None:
        self._crowd = crowd
        self._said = said
        self._drips = drips
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self._crowd.standing.add(self)
        self.transport.write(self._said)
        if self._drips:
            self._drip()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 the protocol's own shape
        self.transport = None
        self._crowd.standing.discard(self)
        self._crowd.shown_out += 1

    def _drip(self) -> None:
        if self.transport is not None:
            self.transport.write(b"X-More: x\r\n")
            asyncio.get_running_loop().call_later(DRIP, self._drip)


@dataclass
class Crowd:
    """All of them."""

    wire: Wire
    size: int
    standing: set[_Stander] = field(default_factory=set)
    shown_out: int = 0
    at_most: int = 0
    _came: int = 0

    async def fill(self) -> None:
        """Come until all places are taken; whoever is refused is tried again the next time."""
        before = self._came
        while (missing := self.size - len(self.standing)) > 0:
            came = await asyncio.gather(*(self._come() for _ in range(min(missing, AT_ONCE))))
            self.at_most = max(self.at_most, len(self.standing))
            if not any(came) or self._came - before > self.size:
                return

    async def stay(self) -> None:
        """Come back whenever somebody was shown out."""
        while True:
            await self.fill()
            await asyncio.sleep(BACK_AFTER)

    async def leave(self) -> None:
        for each in list(self.standing):
            if each.transport is not None:
                each.transport.abort()
        while self.standing:  # noqa: ASYNC110 - each says so by itself
            await asyncio.sleep(0.01)

    async def _come(self) -> bool:
        self._came += 1
        said = KINDS[self._came % len(KINDS)]
        source = (f"127.0.0.{2 + self._came % SOURCES}", 0)
        stander = _Stander(self, said, drips=said.endswith(b"\n"))
        try:
            await asyncio.get_running_loop().create_connection(
                lambda: stander, self.wire.host, self.wire.port, local_addr=source
            )
        except OSError:
            return False
        return True


@asynccontextmanager
async def crowd(wire: Wire, size: int) -> AsyncIterator[Crowd]:
    """They stand there until the block ends."""
    most, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    made = Crowd(Wire("127.0.0.1", wire.port), size)
    await made.fill()
    staying = asyncio.create_task(made.stay())
    try:
        yield made
    finally:
        staying.cancel()
        await asyncio.gather(staying, return_exceptions=True)
        await made.leave()
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


@dataclass(frozen=True, slots=True)
class Held:
    """What a process holds."""

    megabytes: float
    files: int


async def gateway_holds() -> Held:
    status = await Control.from_environment().status()
    process = psutil.Process(status["gateway"].pid)
    return Held(round(process.memory_info().rss / 1e6, 1), process.num_fds())


async def calls(citizen: Browser, seconds: float) -> tuple[list[float], Counter[str]]:
    """What a citizen meets meanwhile: how long each call took, and what came instead of an answer."""
    took, wrong = [], Counter[str]()
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        began = time.monotonic()
        answer = await citizen.call("GET", ME)
        took.append(time.monotonic() - began)
        if answer.status_code != 200:  # noqa: PLR2004
            wrong[f"{answer.status_code} {answer.text[:80]}"] += 1
        await asyncio.sleep(EVERY)
    return sorted(took), wrong


async def released(before: Held, within: float) -> Held:
    """What the gateway holds when all have left."""
    until = time.monotonic() + within
    now = await gateway_holds()
    while now.files > before.files + AT_ONCE and time.monotonic() < until:
        await asyncio.sleep(0.2)
        now = await gateway_holds()
    return now


async def run(size: int, seconds: float) -> dict[str, Any]:
    settings = DemoSettings()
    await loader.load(settings, told=lambda *_: None)
    async with Browser(settings.public_url, "citizen") as citizen:
        await citizen.log_in(credentials(settings, "lijing"))
        quiet, _ = await calls(citizen, 5)
        before = await gateway_holds()
        async with crowd(Wire.to(settings.public_url), size) as standing:
            took, wrong = await calls(citizen, seconds)
            meanwhile = await gateway_holds()
        after = await released(before, 30)
    return {
        "connections": size,
        "stood_at_most": standing.at_most,
        "shown_out": standing.shown_out - size,
        "calls": len(took),
        "wrong": dict(wrong),
        "seconds_without_them": {"p50": _at(quiet, 0.5), "max": _at(quiet, 1)},
        "seconds": {"p50": _at(took, 0.5), "p99": _at(took, 0.99), "max": _at(took, 1)},
        "gateway_megabytes": [each.megabytes for each in (before, meanwhile, after)],
        "gateway_files": [each.files for each in (before, meanwhile, after)],
    }


def _at(ordered: list[float], share: float) -> float:
    return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 3)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--connections", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=30)
    wanted = parser.parse_args()
    result = asyncio.run(run(wanted.connections, wanted.seconds))
    print(json.dumps(result, indent=1, ensure_ascii=False))
    files = result["gateway_files"]
    sys.exit(bool(result["wrong"]) or files[2] > files[0] + AT_ONCE)


if __name__ == "__main__":
    main()
