"""A whole service in the test's own loop: its real doors, relay and consumers, on free ports."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import grpc
import httpx

from common import process, rpc
from common.config import Settings
from common.process import PARTS, House, Ports
from common.testing.world import Clock, Ids

# each client would read all root certificates for itself, which no call over plain HTTP ever needs
_TRUSTED = httpx.create_ssl_context()


@dataclass(frozen=True, slots=True)
class Living:
    """A service that is open: its app for a look inside, its doors for everything else."""

    app: Any
    house: House
    ports: Ports
    ids: Ids

    def http(self, token: str = "", *, post: str = "", **headers: str) -> httpx.AsyncClient:
        """Give a client for a caller; each call that changes something gets a fresh key unless it brings one."""
        sent = headers | ({"Authorization": f"Bearer {token}"} if token else {}) | ({"X-Post": post} if post else {})

        async def key(request: httpx.Request) -> None:
            if request.method not in {"GET", "HEAD"}:
                request.headers.setdefault("Idempotency-Key", str(self.ids()))

        base = f"http://127.0.0.1:{self.ports.http}"
        return httpx.AsyncClient(
            base_url=base, headers=sent, event_hooks={"request": [key]}, timeout=20, trust_env=False, verify=_TRUSTED
        )

    def channel(self) -> grpc.aio.Channel:
        """Give a channel to its gRPC door."""
        return rpc.channel(f"127.0.0.1:{self.ports.grpc}")


@asynccontextmanager
async def living(
    opened: Callable[..., AbstractAsyncContextManager[Any]],
    house: Callable[[Any], House],
    settings: Settings,
    *,
    clock: Clock,
    ids: Ids,
    parts: Sequence[str] = PARTS,
) -> AsyncIterator[Living]:
    """Open a service by its own `main.opened` and `main.house`; drain and close it after the block."""
    stop = asyncio.Event()
    started: asyncio.Future[Living] = asyncio.get_running_loop().create_future()

    async def run() -> None:
        async with opened(settings, clock=clock, ids=ids) as app:
            made = house(app)
            await process.live(
                made,
                app,
                stop=stop,
                parts=parts,
                clock=clock,
                opened=lambda ports: started.set_result(Living(app, made, ports, ids)),
            )

    # A task of its own: a fixture's two halves may run in different tasks, which no task group survives.
    task = asyncio.create_task(run())
    await asyncio.wait((task, started), return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        await task
    try:
        yield await started
    finally:
        stop.set()
        await task
