"""The HTTP server under the door."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI
from listening import Listener

DRAIN = 25


class Serving(uvicorn.Server):
    """uvicorn without its own ideas about signals."""

    def __init__(self, api: FastAPI) -> None:
        super().__init__(
            uvicorn.Config(
                api,
                loop="none",
                http=Listener,
                ws="none",
                lifespan="off",
                access_log=False,
                server_header=False,
                log_config=None,
                proxy_headers=False,
                timeout_keep_alive=75,
                timeout_graceful_shutdown=DRAIN,
            )
        )
        self.open = asyncio.Event()
        self._bound: socket.socket | None = None

    def bind(self, host: str, port: int) -> int:
        """Take the port, before anything serves; tells which one when 0 was asked for."""
        self._bound = socket.create_server((host, port), backlog=2048)
        taken: int = self._bound.getsockname()[1]
        return taken

    def slam(self) -> None:
        """Close what listens."""
        for each in getattr(self, "servers", ()):
            each.close()
        if self._bound is not None:
            self._bound.close()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup([self._bound] if self._bound else sockets)
        self.open.set()
