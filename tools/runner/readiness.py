"""Asks each part whether it answers. An OSError or a time-out means: not yet."""

import asyncio
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable

import asyncpg

Ready = Callable[[], Awaitable[bool]]


def answers_http(url: str) -> Ready:
    async def ready() -> bool:
        return await asyncio.to_thread(_is_ok, url)

    return ready


def accepts_queries(url: str) -> Ready:
    async def ready() -> bool:
        try:
            connection = await asyncpg.connect(url, timeout=2)
        except asyncpg.PostgresError:  # starting up, or recovering
            return False
        await connection.close()
        return True

    return ready


def answers_ping(host: str, port: int, password: str) -> Ready:
    async def ready() -> bool:
        reader, writer = await asyncio.open_connection(host, port)
        try:
            writer.write(f"AUTH {password}\r\nPING\r\n".encode())
            return await reader.readline() == b"+OK\r\n" and await reader.readline() == b"+PONG\r\n"
        finally:
            writer.close()

    return ready


def _is_ok(url: str) -> bool:
    # the addresses are our own, on loopback
    request = urllib.request.Request(url)  # noqa: S310
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=2) as answer:
            return bool(answer.status == 200)  # noqa: PLR2004 - HTTP's own word for yes
    except urllib.error.HTTPError:
        return False
