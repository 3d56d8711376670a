"""What every request passes: the trace, the limits, the security headers, the log line and the last catch."""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from types import SimpleNamespace
from urllib.parse import parse_qsl

from common import telemetry
from common.config import Sentences
from common.errors import Refusal
from common.web import Readiness, problem
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from gateway import pages
from gateway.domain import (
    HEADER_COUNT_LIMIT,
    HEADER_SIZE_LIMIT,
    METHODS,
    SAFE_METHODS,
    TARGET_LIMIT,
    BodyTooLarge,
    HeadersTooLarge,
    MethodNotAllowed,
    NoSuchPath,
    ServiceMisbehaved,
    ServiceTooSlow,
    TargetTooLong,
)
from gateway.limits import Allowance
from gateway.proxy import AnswerBroken, CallerLeft

STATUS: Mapping[type[Refusal], int] = {
    MethodNotAllowed: 405,
    BodyTooLarge: 413,
    TargetTooLong: 414,
    HeadersTooLarge: 431,
    ServiceMisbehaved: 502,
    ServiceTooSlow: 504,
}
CALLER_LEFT = 499
PATIENCE = 2.0
SILENT = {"healthz", "readyz", "metrics"}
_SECRET = re.compile(rb"[A-Za-z0-9_-]{43}")
_OF_PROGRAMS = re.compile(r"/(?:[a-z]+/)?api(?:/|$)")

PAGE_POLICY = b"default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"  # noqa: E501 one value
# only where people come by https: what is said over a plain connection anybody may have said (RFC 6797)
TRANSPORT = (b"strict-transport-security", b"max-age=63072000; includeSubDomains")
SECURITY = [
    (b"x-content-type-options", b"nosniff"),
    # for browsers that do not know frame-ancestors
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
    (b"cache-control", b"no-store"),
]
API_POLICY = (
    b"content-security-policy",
    b"default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
)


@dataclass(slots=True)
class Request:
    """One request, as far as the front door looks at it."""

    method: str
    path: str
    query_string: bytes
    headers: list[tuple[bytes, bytes]]
    address: str
    receive: Receive
    send: Send
    # learnt on the way, for the answer and the log
    verb: str = "unmatched"
    caller: str | None = None
    reason: str | None = None
    allowance: Allowance | None = None
    more: list[tuple[bytes, bytes]] = field(default_factory=list)

    def header(self, name: bytes) -> str | None:
        """The header's value; None if it is not there exactly once."""
        found = [value for each, value in self.headers if each == name]
        return found[0].decode("latin-1") if len(found) == 1 else None

    def cookie(self, name: str) -> str | None:
        """One of our own cookies, if it looks like one."""
        for each, line in self.headers:
            for part in line.split(b";") if each == b"cookie" else ():
                key, _, value = part.strip().partition(b"=")
                if key == name.encode() and _SECRET.fullmatch(value):
                    return value.decode("ascii")
        return None

    @property
    def by_a_person(self) -> bool:
        """Whether somebody opens this address in a browser; programs, and the calls of pages, read problems."""
        opened = self.method in SAFE_METHODS and "text/html" in (self.header(b"accept") or "")
        return opened and _OF_PROGRAMS.match(self.path) is None

    @property
    def query(self) -> dict[str, str]:
        try:
            return dict(parse_qsl(self.query_string.decode("latin-1"), max_num_fields=32))
        except ValueError:
            return {}


type Route = Callable[[Request], Awaitable[Response | None]]


class Door:
    """The outermost layer, as an ASGI application."""

    def __init__(self, route: Route, sentences: Sentences, *, trusted_hops: int, https: bool) -> None:
        self.state = SimpleNamespace(readiness=Readiness())
        self._route = route
        self._sentences = sentences
        self._trusted_hops = trusted_hops
        self._armour = [TRANSPORT, *SECURITY] if https else SECURITY

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in."""
        if scope["type"] != "http":
            return
        began = time.perf_counter()
        status = 0
        request = self._request(scope, receive, send)

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = self._with_ours(message["headers"], request)
            await send(message)

        request.send = answer
        with telemetry.span("gateway", parent=request.header(b"traceparent") or "") as span:
            try:
                _check_size(request, scope)
                response = await self._route(request)
                if response is not None:
                    await response(scope, receive, answer)
            except CallerLeft:
                status = status or CALLER_LEFT
            except AnswerBroken as error:
                # the answer has begun: only a closed connection can say that it is not whole
                telemetry.log.warning("gateway.broken_off", exc_info=error)
                request.reason = "ANSWER_BROKEN"
            except Exception as error:
                if status:
                    telemetry.log.error("gateway.broken_off", exc_info=error)
                    raise
                if isinstance(error, BodyTooLarge):
                    await _hear_out(request)
                await self._refuse(error, request)(scope, receive, answer)
            span.update_name(f"gateway.{request.verb}")
            _log(request, status, time.perf_counter() - began)

    def _request(self, scope: Scope, receive: Receive, send: Send) -> Request:
        headers: list[tuple[bytes, bytes]] = scope["headers"]
        client = scope.get("client")
        address: str = client[0] if client else ""
        if self._trusted_hops:
            told = (
                b",".join(value for name, value in headers if name == b"x-forwarded-for").decode("latin-1").split(",")
            )
            address = told[-self._trusted_hops].strip() if len(told) >= self._trusted_hops else address
        return Request(
            method=scope["method"],
            path=scope["raw_path"].decode("latin-1"),
            query_string=scope["query_string"],
            headers=headers,
            address=address,
            receive=receive,
            send=send,
        )

    def _with_ours(self, headers: list[tuple[bytes, bytes]], request: Request) -> list[tuple[bytes, bytes]]:
        ours = [*headers, *self._armour, *request.more]
        if not any(name == b"content-security-policy" for name, _ in headers):
            ours.append(API_POLICY)
        if request.allowance is not None:
            ours += request.allowance.headers
        return ours

    def _refuse(self, error: Exception, request: Request) -> Response:
        if not isinstance(error, Refusal):
            telemetry.log.error("gateway.unexpected", exc_info=error)
            request.reason = "UNEXPECTED"
            said = problem.of_reason(500, "UNEXPECTED", "Something unexpected happened", self._sentences)
        else:
            said = self.refusal(error, request)
        return self._page(said, error, request) if request.by_a_person else said

    def _page(self, said: Response, error: Exception, request: Request) -> Response:
        """Say the same to a person, and what to do now."""
        told = {"reason": request.reason or "", "trace_id": telemetry.trace_id()}
        if isinstance(error, NoSuchPath):
            body, kind = pages.lost(**told)
        else:
            unknown = self._sentences.by_reason["UNEXPECTED"]
            sentence = self._sentences.say(error) if isinstance(error, Refusal) else unknown
            body, kind = pages.closed(sentence=sentence, **told)
        kept = {name: value for name, value in said.headers.items() if name not in {"content-type", "content-length"}}
        kept |= {"content-type": kind, "content-security-policy": PAGE_POLICY.decode()}
        return Response(body, said.status_code, kept)

    def refusal(self, refusal: Refusal, request: Request, **more: object) -> Response:
        """Say a refusal to a program."""
        request.reason = refusal.reason
        plain = problem.of_refusal(refusal, self._sentences)
        status = STATUS.get(type(refusal), plain.status_code)
        if refusal.data:
            more["data"] = refusal.data
        headers = {name: plain.headers[name] for name in ("WWW-Authenticate", "Retry-After") if name in plain.headers}
        if isinstance(refusal, MethodNotAllowed):
            headers["Allow"] = ", ".join(sorted(METHODS))
        if isinstance(refusal, BodyTooLarge | TargetTooLong | HeadersTooLarge):
            headers["Connection"] = "close"
        return problem.problem(
            status=status,
            reason=refusal.reason,
            title=self._sentences.say(refusal),
            title_en=(type(refusal).__doc__ or refusal.reason).strip().splitlines()[0].rstrip("."),
            headers=headers,
            **more,
        )


async def _hear_out(request: Request) -> None:
    """A caller who is still sending would not read the answer: let it finish, for a moment."""
    if request.header(b"expect") is not None:
        return
    with suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE):
            message: Message = {"more_body": True}
            while message.get("more_body"):
                message = await request.receive()


def _check_size(request: Request, scope: Scope) -> None:
    if len(request.headers) > HEADER_COUNT_LIMIT:
        raise HeadersTooLarge
    if sum(len(name) + len(value) for name, value in request.headers) > HEADER_SIZE_LIMIT:
        raise HeadersTooLarge
    if len(scope["raw_path"]) + len(request.query_string) > TARGET_LIMIT:
        raise TargetTooLong
    if request.method not in METHODS:
        raise MethodNotAllowed


def _log(request: Request, status: int, seconds: float) -> None:
    if request.verb in SILENT:
        return
    telemetry.DOOR_SECONDS.labels("gateway", "http", request.verb, str(status)).observe(seconds)
    telemetry.log.info(
        f"gateway.{request.verb}",
        door="http",
        method=request.method if request.method in METHODS else "OTHER",
        status=status,
        ms=round(seconds * 1000, 1),
        reason=request.reason,
        caller=request.caller,
    )
