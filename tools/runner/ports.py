"""Which part listens where: one block of ports per instance, port = base + offset."""

import os
import socket
from collections.abc import Iterable

import psutil

from tools.runner.refusals import PortTaken

DEFAULT_BASE = 18000
TEST_BASE = 19000

OFFSETS = {
    "gateway": 0,
    "accounts": 10,
    "accounts-grpc": 11,
    "verification": 20,
    "verification-grpc": 21,
    "orchestration": 30,
    "orchestration-grpc": 31,
    "workbench": 40,
    "workbench-grpc": 41,
    "postgres": 50,
    "nats": 60,
    "nats-monitor": 61,
    "department": 65,
    "redis": 70,
    "keycloak": 80,
    "keycloak-management": 90,
    # the gateway answers no gRPC from outside; the port is kept for its health service
    "gateway-grpc": 1,
}
LOWEST_BASE = 1024  # below, ports belong to root
HIGHEST_BASE = 65535 - max(OFFSETS.values())


def base_from_environment() -> int:
    return int(os.environ.get("TONGBAN_PORT_BASE", DEFAULT_BASE))


def check_free(base: int, parts: Iterable[str]) -> None:
    """Refuse before anything starts, naming every port that is taken and who holds it."""
    if not LOWEST_BASE <= base <= HIGHEST_BASE:
        raise PortTaken(f"The port base must lie between {LOWEST_BASE} and {HIGHEST_BASE}, not {base}.")
    taken = [(part, base + OFFSETS[part]) for part in parts if not _is_free(base + OFFSETS[part])]
    if taken:
        lines = [f"  port {port} ({part}) is held by {_holder(port)}" for part, port in taken]
        raise PortTaken(
            "\n".join(
                [
                    "These ports are taken:",
                    *lines,
                    "End that program, or choose another block of ports: TONGBAN_PORT_BASE=28000 make run",
                ]
            )
        )


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _holder(port: int) -> str:
    try:
        connections = psutil.net_connections(kind="tcp")
    except psutil.AccessDenied:  # macOS shows other people's connections to root only
        connections = []
    for connection in connections:
        if connection.status == psutil.CONN_LISTEN and connection.laddr and connection.laddr.port == port:
            return _program(connection.pid)
    return "another program"


def _program(pid: int | None) -> str:
    if pid is None:
        return "a program of another user"
    try:
        return f"{psutil.Process(pid).name()} (pid {pid})"
    except psutil.Error:
        return f"pid {pid}"
