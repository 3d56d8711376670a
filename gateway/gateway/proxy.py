"""The way through: streams a call to its service and the answer back, holding neither.

Only the headers named here pass inwards; who calls is told by the token alone.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field

import aiohttp
from starlette.types import Receive, Send
from yarl import URL

from gateway.domain import (
    BodyTooLarge,
    Destination,
    NoSuchService,
    ServiceAway,
    ServiceMisbehaved,
    ServiceTooSlow,
)

type Headers = Iterable[tuple[bytes, bytes]]

PASSED_IN = frozenset(
    {
        b"accept", b"accept-encoding", b"accept-language", b"content-digest", b"content-encoding", b"content-length",
        b"content-type", b"idempotency-key", b"if-match", b"if-modified-since", b"if-none-match", b"last-event-id",
        b"range", b"signature", b"signature-input", b"user-agent", b"x-on-behalf", b"x-post", b"x-purpose",
    }
)  # fmt: skip
# hop by hop (RFC 9110 7.6.1), what the front door says itself, and cookies, which are its own business alone
KEPT_BACK = frozenset(
    {
        b"connection", b"keep-alive", b"proxy-authenticate", b"proxy-authorization", b"proxy-connection", b"te",
        b"trailer", b"transfer-encoding", b"upgrade", b"set-cookie", b"server", b"date", b"cache-control",
        b"strict-transport-security", b"content-security-policy", b"referrer-policy", b"x-content-type-options",
        b"x-frame-options", b"access-control-allow-origin", b"access-control-allow-credentials",
    }
)  # fmt: skip
WITHOUT_BODY = frozenset({"GET", "HEAD"})
LOOK_AGAIN = 0.1  # seconds, for a service that is being restarted
# most calls are answered sooner than it is worth listening for a caller who leaves
LISTEN_AFTER = 0.05
# said by the caller or by nobody
UNSAID = ("User-Agent", "Accept", "Accept-Encoding", "Content-Type")
REDIRECTS = frozenset({301, 302, 303, 307, 308})


class CallerLeft(Exception):
    """Nobody waits for the answer any more."""


class AnswerBroken(Exception):
    """The service broke off in the middle of its answer."""


@dataclass(slots=True)
class Call:
    """One call on its way through."""

    method: str
    destination: Destination
    query: bytes
    headers: Headers
    receive: Receive
    token: str = field(repr=False)
    traceparent: str
    # a stream lives no longer than the token it was opened with: the browser reconnects and is asked again
    ends_in: float


class Proxy:
    """Carries calls to the services over one pool of connections."""

    def __init__(
        self,
        http: aiohttp.ClientSession,
        services: Mapping[str, str],
        *,
        body_limit: int,
        connect_within: float,
        restart_within: float,
        answer_within: float,
    ) -> None:
        self._http = http
        self._services = {name: url.rstrip("/") for name, url in services.items()}
        self._body_limit = body_limit
        self._restart_within = restart_within
        self._answer_within = answer_within
        self._timeout = aiohttp.ClientTimeout(total=None, connect=connect_within, sock_read=answer_within)
        # an open stream may be silent for long
        self._stream_timeout = aiohttp.ClientTimeout(total=None, connect=connect_within, sock_read=None)

    @property
    def services(self) -> Mapping[str, str]:
        return self._services

    async def carry(self, call: Call, send: Send) -> None:
        """Carry one call. A refusal is raised only before the answer has begun."""
        base = self._services.get(call.destination.service)
        if base is None:
            raise NoSuchService
        incoming = _Incoming(call, self._body_limit)
        task = asyncio.current_task()
        if task is not None:
            incoming.watch(task)
        try:
            await self._carry(call, base, incoming, send)
        except asyncio.CancelledError:
            if task is None or not incoming.left or task.uncancel():
                raise
            raise CallerLeft from None
        finally:
            incoming.look_away()

    async def _carry(self, call: Call, base: str, incoming: "_Incoming", send: Send) -> None:
        target = f"{base}{call.destination.path}"
        if call.query:
            target = f"{target}?{call.query.decode('latin-1')}"
        stream = any(name == b"accept" and b"text/event-stream" in value for name, value in call.headers)
        try:
            async with asyncio.timeout(self._answer_within if stream else None):
                answer = await self._ask(call, URL(target, encoded=True), incoming, stream=stream)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            # what was broken off on this side, while the body was under way
            if incoming.broken is not None:
                raise incoming.broken from error
            if isinstance(error, TimeoutError) and not isinstance(error, aiohttp.ConnectionTimeoutError):
                raise ServiceTooSlow(service=call.destination.service) from error
            raise ServiceAway(service=call.destination.service) from error
        async with answer:
            await _hand_out(call, base, answer, send)

    async def _ask(self, call: Call, target: URL, incoming: "_Incoming", *, stream: bool) -> aiohttp.ClientResponse:
        """Ask the service. Where nobody listens nothing was sent: one that is being restarted is back in a moment."""
        clock = asyncio.get_running_loop().time
        until = clock() + self._restart_within
        while True:
            try:
                return await self._http.request(
                    call.method,
                    target,
                    headers=_inwards(call),
                    data=incoming.body() if incoming.expected else None,
                    timeout=self._stream_timeout if stream else self._timeout,
                    allow_redirects=False,
                )
            except aiohttp.ClientConnectorError:
                if clock() > until:
                    raise
            await asyncio.sleep(LOOK_AGAIN)


class _Incoming:
    """What the caller sends: the body, counted as it streams, and the news that the caller has left."""

    def __init__(self, call: Call, limit: int) -> None:
        self._receive = call.receive
        self._limit = limit
        self._whole = asyncio.Event()
        self._later: asyncio.TimerHandle | None = None
        self._watching: asyncio.Task[None] | None = None
        self.left = False
        self.broken: Exception | None = None
        headers = dict(call.headers)
        length = int(headers.get(b"content-length", b"0"))
        if length > limit:
            raise BodyTooLarge(limit=limit)
        self.expected = length > 0 or b"transfer-encoding" in headers
        if not self.expected:
            self._whole.set()

    async def body(self) -> AsyncIterator[bytes]:
        size = 0
        more = True
        while more:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                self.broken = CallerLeft()
                raise self.broken
            chunk = message.get("body", b"")
            size += len(chunk)
            if size > self._limit:
                self.broken = BodyTooLarge(limit=self._limit)
                raise self.broken
            more = message.get("more_body", False)
            if chunk:
                yield chunk
        self._whole.set()

    def watch(self, task: asyncio.Task[None]) -> None:
        """Cancel the call if the caller leaves before it is answered."""
        self._later = asyncio.get_running_loop().call_later(LISTEN_AFTER, self._begin_to_listen, task)

    def look_away(self) -> None:
        """It is answered."""
        if self._later is not None:
            self._later.cancel()
        if self._watching is not None:
            self._watching.cancel()

    def _begin_to_listen(self, task: asyncio.Task[None]) -> None:
        self._watching = asyncio.ensure_future(self._listen(task))

    async def _listen(self, task: asyncio.Task[None]) -> None:
        # once all is read, the next that is heard is that the caller has left: then nobody needs the answer
        await self._whole.wait()
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.left = True
        task.cancel()


async def _hand_out(call: Call, base: str, answer: aiohttp.ClientResponse, send: Send) -> None:
    headers = _outwards(call.destination, base, answer)
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    stream = answer.content_type == "text/event-stream"
    left = answer.content_length or -1
    try:
        async with asyncio.timeout(call.ends_in if stream else None) as ending:
            async for chunk in answer.content.iter_any():
                left -= len(chunk)
                await send({"type": "http.response.body", "body": chunk, "more_body": left != 0})
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        if not ending.expired():
            raise AnswerBroken from error
    if left != 0:
        await send({"type": "http.response.body", "body": b"", "more_body": False})


def _inwards(call: Call) -> list[tuple[str, str]]:
    passed = [(name.decode("ascii"), value.decode("latin-1")) for name, value in call.headers if name in PASSED_IN]
    return [*passed, ("authorization", f"Bearer {call.token}"), ("traceparent", call.traceparent)]


def _outwards(destination: Destination, base: str, answer: aiohttp.ClientResponse) -> list[tuple[bytes, bytes]]:
    kept_back = KEPT_BACK
    if hops := answer.headers.get("Connection"):
        kept_back = KEPT_BACK | {name.strip().lower().encode() for name in hops.split(",")}
    lowered = ((name.lower(), value) for name, value in answer.raw_headers)
    headers = [(name, value) for name, value in lowered if name not in kept_back]
    if answer.status not in REDIRECTS:
        return headers
    return [
        (name, _our_address(destination, base, value.decode("latin-1")) if name == b"location" else value)
        for name, value in headers
    ]


def _our_address(destination: Destination, base: str, location: str) -> bytes:
    """A service knows its own address only; the caller must be sent to ours."""
    path = location.removeprefix(base)
    if not path.startswith("/v1/"):
        raise ServiceMisbehaved(service=destination.service)
    return f"{destination.prefix}{path}".encode("latin-1")
