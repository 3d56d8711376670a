"""Bytes over a socket, past what any client would send."""

import asyncio
import json
import time
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

WITHIN = 20.0
CHUNK = 1 << 16


@dataclass(frozen=True, slots=True)
class Heard:
    """What came back: the status of every answer on the connection, and the first one whole."""

    statuses: tuple[int, ...]
    text: bytes
    seconds: float

    @property
    def status(self) -> int:
        """Of the first answer; 0 if the connection was closed without one."""
        return self.statuses[0] if self.statuses else 0

    @property
    def reason(self) -> str:
        """The word of the refusal."""
        _, _, body = self.text.partition(b"\r\n\r\n")
        try:
            told = json.loads(body)
        except ValueError:
            return ""
        return str(told.get("reason", "")) if isinstance(told, dict) else ""


@dataclass(frozen=True, slots=True)
class Wire:
    """A place to knock at."""

    host: str
    port: int

    @classmethod
    def to(cls, url: str) -> "Wire":
        split = urlsplit(url)
        return cls(split.hostname or "localhost", split.port or 80)

    async def open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection(self.host, self.port)

    async def say(self, said: bytes | Iterable[bytes], *, pause: float = 0, within: float = WITHIN) -> Heard:
        """Send, piece after piece, and hear until the other side closes or has nothing more to say."""
        began = time.monotonic()
        reader, writer = await self.open()
        heard = bytearray()

        async def hear() -> None:
            while chunk := await reader.read(CHUNK):
                heard.extend(chunk)

        hearing = asyncio.create_task(hear())
        try:
            async with asyncio.timeout(within):
                for piece in [said] if isinstance(said, bytes) else said:
                    if hearing.done():
                        break
                    writer.write(piece)
                    await writer.drain()
                    await asyncio.sleep(pause)
                await hearing
        except (TimeoutError, ConnectionError):
            pass
        finally:
            hearing.cancel()
            writer.close()
        return Heard(_statuses(bytes(heard)), bytes(heard), time.monotonic() - began)


def _statuses(heard: bytes) -> tuple[int, ...]:
    found = heard.split(b"HTTP/1.1 ")[1:]
    return tuple(int(each[:3]) for each in found if each[:3].isdigit())


def request(method: str, path: str, headers: Iterable[str] = (), body: bytes = b"") -> bytes:
    """A request as it stands on the wire."""
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", *headers]
    return "\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n" + body


# after which the rest of a connection is no business of the next request
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n"


def smuggled(path: str, proof: tuple[str, ...]) -> dict[str, bytes]:
    """Requests of which two readers would see different ends, each with a second one behind."""

    def post(*headers: str, body: bytes = b"") -> bytes:
        return request("POST", path, (*proof, *headers), body) + SMUGGLED

    return {
        "CL and TE": post("Content-Length: 4", "Transfer-Encoding: chunked", body=b"0\r\n\r\n"),
        "TE and CL": post("Transfer-Encoding: chunked", "Content-Length: 4", body=b"0\r\n\r\n"),
        "two lengths": post("Content-Length: 0", "Content-Length: 44"),
        "a list of lengths": post("Content-Length: 0, 44"),
        "length with a sign": post("Content-Length: +0"),
        "length in hexadecimal": post("Content-Length: 0x10", body=b"x" * 16),
        "negative length": post("Content-Length: -1"),
        "length too great": post("Content-Length: 99999999999999999999999"),
        "space before the colon": post("Content-Length : 4", body=b"abcd"),
        "TE of two": post("Transfer-Encoding: chunked, identity", body=b"0\r\n\r\n"),
        "TE misspelt": post("Transfer-Encoding: xchunked", body=b"0\r\n\r\n"),
        "TE twice": post("Transfer-Encoding: identity", "Transfer-Encoding: chunked", body=b"0\r\n\r\n"),
        "TE folded": post("Transfer-Encoding:\r\n chunked", body=b"0\r\n\r\n"),
        "TE with a tab": post("Transfer-Encoding:\x0bchunked", body=b"0\r\n\r\n"),
        "folded header": post("X-Purpose: a\r\n b", "Content-Length: 0"),
        "bare line feeds": post("Content-Length: 0").replace(b"\r\n", b"\n"),
        "bare carriage return": post("X-Purpose: a\rContent-Length: 44", "Content-Length: 0"),
        "chunk size too great": post("Transfer-Encoding: chunked", body=b"fffffffffffffffff\r\n"),
        "chunk size with a sign": post("Transfer-Encoding: chunked", body=b"+4\r\nabcd\r\n0\r\n\r\n"),
        "chunk size with an underscore": post("Transfer-Encoding: chunked", body=b"0_4\r\nabcd\r\n0\r\n\r\n"),
        "chunk without its end": post("Transfer-Encoding: chunked", body=b"4\r\nabcdXX0\r\n\r\n"),
        "NUL in a header": post("X-Purpose: a\x00b", "Content-Length: 0"),
        "no host": request("POST", path, (*proof, "Content-Length: 0")).replace(b"Host: localhost\r\n", b"") + SMUGGLED,
        "two hosts": post("Host: evil.example", "Content-Length: 0"),
        "HTTP/3.7": post("Content-Length: 0").replace(b"HTTP/1.1", b"HTTP/3.7", 1),
        "a preface of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "upgrade": post(
            "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABk", "Content-Length: 0"
        ),
    }


def bomb(megabytes: int) -> bytes:
    """Zeros, packed."""
    packing = zlib.compressobj(9, zlib.DEFLATED, 31)
    return packing.compress(b"0" * (megabytes << 20)) + packing.flush()


def deep(levels: int) -> bytes:
    """Lists in lists."""
    return b"[" * levels + b"]" * levels
