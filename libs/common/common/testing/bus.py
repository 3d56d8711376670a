"""A broker of the test's own: it may be killed, restarted and robbed of its store without disturbing anybody."""

import asyncio
import json
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import nats
import pytest

from common.bus import Bus

UP_WITHIN = 10.0


class Broker:
    """One NATS server as a process."""

    def __init__(self, home: Path) -> None:
        self._home = home
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.port}"

    def start(self) -> None:
        config = self._home / "nats.conf"
        config.write_text(
            json.dumps({"host": "127.0.0.1", "port": self.port, "jetstream": {"store_dir": str(self._home / "store")}})
        )
        program = shutil.which("nats-server") or str(Path(sys.executable).parent / "nats-server")
        with (self._home / "nats.log").open("ab") as log:
            self._process = subprocess.Popen([program, "--config", str(config)], stdout=log, stderr=log)  # noqa: S603

    async def up(self) -> None:
        """Wait until it lets clients in."""
        async with asyncio.timeout(UP_WITHIN):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                except OSError:
                    await asyncio.sleep(0.02)
                else:
                    writer.close()
                    await writer.wait_closed()
                    return

    def kill(self) -> None:
        """End it as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def freeze(self) -> None:
        """Let it stand still, so that it answers nobody; killing ends that."""
        if self._process is not None:
            self._process.send_signal(signal.SIGSTOP)

    def save(self, name: str) -> None:
        """Copy its store, to restore it later; only while it is down."""
        shutil.copytree(self._home / "store", self._home / name)

    def restore(self, name: str) -> None:
        """Put a saved store in the place of its own; only while it is down."""
        self.forget()
        shutil.copytree(self._home / name, self._home / "store")

    def forget(self) -> None:
        """Lose everything; only while it is down."""
        shutil.rmtree(self._home / "store", ignore_errors=True)


@pytest.fixture(scope="session")
def broker_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    broker = Broker(tmp_path_factory.mktemp("nats"))
    broker.start()
    yield broker
    broker.kill()


@pytest.fixture
async def broker(broker_process: Broker) -> Broker:
    """Give this run's own broker, without the streams of earlier tests; the test may kill and restart it."""
    await broker_process.up()
    client = await nats.connect(broker_process.url)
    for stream in await client.jetstream().streams_info():
        await client.jetstream().delete_stream(stream.config.name or "")
    await client.close()
    return broker_process


@pytest.fixture
async def bus(broker: Broker) -> AsyncIterator[Bus]:
    """Give a connection to this run's own broker."""
    connected = Bus(broker.url, "test")
    await connected.connect()
    yield connected
    await connected.close()
