"""A process that has imported the libraries, and that Python programs are forked from.

Importing costs each service two seconds and 100 MB of its own; forked, they share both (ADR 5). Nothing but imports may
have happened before a fork: no thread, no loop, no connection.

Told what to run on a socket, one JSON object per line; answers with the pid, and later with the exit code.
"""

import contextlib
import gc
import importlib
import json
import os
import runpy
import signal
import socket
import sys
from pathlib import Path
from selectors import EVENT_READ, DefaultSelector
from typing import Any

LIBRARIES = (
    "uvloop", "httptools", "uvicorn", "fastapi", "pydantic_settings", "sqlmodel", "sqlalchemy.ext.asyncio", "asyncpg",
    "alembic.command", "google.protobuf", "grpc.aio", "nats", "redis.asyncio", "aiohttp", "httpx", "joserfc.jwt",
    "tenacity", "cryptography.hazmat.primitives.ciphers.aead", "structlog", "prometheus_client",
    "opentelemetry.sdk.trace",
)  # fmt: skip

CHUNK = 65536

Order = dict[str, Any]


def main() -> None:
    for library in (*LIBRARIES, *sys.argv[2:]):
        # what is not installed will not be missed: a service imports what it needs
        with contextlib.suppress(ImportError):
            importlib.import_module(library)
    # the collector would touch every object, and so copy every shared page
    gc.collect()
    gc.freeze()
    orders = socket.socket(fileno=int(sys.argv[1]))
    order = tend(orders)
    if order is not None:
        become(order)


def tend(orders: socket.socket) -> Order | None:
    """Fork as told. Returns the order in the child, and None in the nursery once nobody gives orders any more."""
    told_by_signal, wake = socket.socketpair()
    wake.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
    selector = DefaultSelector()
    selector.register(orders, EVENT_READ)
    selector.register(told_by_signal, EVENT_READ)
    children: set[int] = set()
    unread = b""
    answer(orders, ready=True)
    while True:
        ready = {key.fileobj for key, _ in selector.select()}
        if told_by_signal in ready:
            told_by_signal.recv(CHUNK)
            for pid, code in ended(children):
                answer(orders, ended=pid, code=code)
        if orders not in ready:
            continue
        chunk = orders.recv(CHUNK)
        if not chunk:
            for pid in children:
                _signal(pid, signal.SIGTERM)
            return None
        # several orders may come at once
        *lines, unread = (unread + chunk).split(b"\n")
        for line in lines:
            order: Order = json.loads(line)
            pid = os.fork()
            if pid == 0:
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                for ours in (selector, orders, told_by_signal, wake):
                    ours.close()
                return order
            with contextlib.suppress(OSError):  # the child does it too: whoever is first
                os.setpgid(pid, pid)
            children.add(pid)
            answer(orders, order=order["order"], pid=pid)


def ended(children: set[int]) -> list[tuple[int, int]]:
    found = []
    for pid in list(children):
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            children.discard(pid)
            found.append((pid, os.waitstatus_to_exitcode(status)))
    return found


def become(order: Order) -> None:
    """In the child: take on the program's group, output, environment and name, and run its module."""
    with contextlib.suppress(OSError):
        os.setpgid(0, 0)
    output = os.open(order["output"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.close(output)
    os.environ.clear()
    os.environ.update(order["environment"])
    module, *arguments = order["arguments"]
    with contextlib.suppress(OSError):
        Path("/proc/self/comm").write_text(module.removesuffix(".main"))
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def answer(orders: socket.socket, **words: object) -> None:
    with contextlib.suppress(OSError):
        orders.sendall(json.dumps(words).encode() + b"\n")


def _signal(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


if __name__ == "__main__":
    main()
