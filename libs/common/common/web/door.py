"""What every request passes, as one pure ASGI layer: the trace, the limits, the log line and the last catch."""

import hashlib
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from common import telemetry
from common.config import Sentences
from common.errors import Refusal, Unavailable
from common.web import problem

# What the layers and the dependency tell each other about a request, kept in its scope.
HASH, ACTOR, REASON, LIMIT = "tongban.hash", "tongban.actor", "tongban.reason", "tongban.limit"

_SILENT = {"/healthz", "/readyz", "/metrics"}
_CONTROL_IN_PATH = re.compile(r"[\x00-\x1f\x7f]")
_CONTROL_IN_QUERY = re.compile(rb"%(?:[01][0-9a-fA-F]|7[fF])")
# A NUL, or half of a surrogate pair, is valid JSON but no text that can be stored.
_NO_TEXT = re.compile(
    rb"\\u0000|\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F]"
)


class PartAway(Unavailable):
    """A part that the answer needs is away."""


class Door:
    """Wraps the service's application."""

    def __init__(self, app: ASGIApp, *, service: str, sentences: Sentences, limit: int) -> None:
        self._app = app
        self._service = service
        self._sentences = sentences
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in."""
        if scope["type"] != "http" or scope["path"] in _SILENT:
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        headers = dict(scope["headers"])
        status = 0

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [
                    *message.get("headers", ()),
                    (b"cache-control", b"no-store"),
                    (b"x-content-type-options", b"nosniff"),
                ]
            await send(message)

        with telemetry.span(self._service, parent=headers.get(b"traceparent", b"").decode("latin-1")) as span:
            try:
                refused = _unreadable(scope) or await self._read(scope, receive, headers)
                if isinstance(refused, str):
                    await self._refuse(refused)(scope, receive, answer)
                else:
                    await self._app(scope, refused, answer)
            except Exception as error:
                if status:
                    telemetry.log.error("http.broken_off", service=self._service, exc_info=error)
                    raise
                await self._unexpected(error, scope)(scope, receive, answer)
            verb = getattr(scope.get("route"), "name", None) or "unmatched"
            span.update_name(f"{self._service}.{verb}")
            self._log(scope, verb, status, time.perf_counter() - began)

    async def _read(self, scope: Scope, receive: Receive, headers: Mapping[bytes, bytes]) -> Receive | str:
        """Read the body once, within the limit; hash it with what it is sent to."""
        length = headers.get(b"content-length", b"0")
        if not length.isdigit() or int(length) > scope.get(LIMIT, self._limit):
            return "REQUEST_TOO_LARGE"
        body = b""
        if length != b"0" or b"transfer-encoding" in headers:
            chunks: list[bytes] = []
            size = 0
            more = True
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    break
                chunks.append(message.get("body", b""))
                size += len(chunks[-1])
                if size > scope.get(LIMIT, self._limit):
                    return "REQUEST_TOO_LARGE"
                more = message.get("more_body", False)
            body = b"".join(chunks)
        if b"\\u" in body and _NO_TEXT.search(body):
            return "REQUEST_UNREADABLE"
        if scope["method"] not in {"GET", "HEAD"}:
            target = scope["raw_path"] + b"?" + scope["query_string"]
            scope[HASH] = hashlib.sha256(scope["method"].encode() + b"\n" + target + b"\n" + body).digest()
        return _replay(body, receive)

    def _refuse(self, reason: str) -> Response:
        if reason == "REQUEST_TOO_LARGE":
            return problem.of_reason(413, reason, "The request is too large", self._sentences, {"Connection": "close"})
        return problem.of_reason(400, reason, "The request cannot be read", self._sentences)

    def _unexpected(self, error: Exception, scope: Scope) -> Response:
        if isinstance(error, ExceptionGroup) and error.split(Refusal)[1] is None:
            return problem.of_refusal(_first(error), self._sentences)
        if isinstance(error, ConnectionError | TimeoutError):
            telemetry.log.warning("http.part_away", service=self._service, exc_info=error)
            return problem.of_refusal(PartAway(), self._sentences)
        scope[REASON] = "UNEXPECTED"
        telemetry.log.error("http.unexpected", service=self._service, exc_info=error)
        return problem.of_reason(500, "UNEXPECTED", "Something unexpected happened", self._sentences)

    def _log(self, scope: Scope, verb: str, status: int, seconds: float) -> None:
        telemetry.DOOR_SECONDS.labels(self._service, "http", verb, str(status)).observe(seconds)
        actor = scope.get(ACTOR)
        telemetry.log.info(
            f"{self._service}.{verb}",
            door="http",
            method=scope["method"],
            status=status,
            ms=round(seconds * 1000, 1),
            reason=scope.get(REASON),
            caller=actor and actor.kind.value,
            caller_id=actor and actor.id,
        )


def _unreadable(scope: Scope) -> str:
    unreadable = _CONTROL_IN_PATH.search(scope["path"]) or _CONTROL_IN_QUERY.search(scope["query_string"])
    return "REQUEST_UNREADABLE" if unreadable else ""


def _replay(body: bytes, receive: Receive) -> Receive:
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


def _first(group: BaseExceptionGroup[Exception]) -> Refusal:
    for each in group.exceptions:
        if isinstance(each, Refusal):
            return each
        if isinstance(each, BaseExceptionGroup):
            return _first(each)
    raise LookupError


class Readiness:
    """Whether this process should be given work: every check answers, and it is not draining."""

    def __init__(self) -> None:
        self.checks: dict[str, Callable[[], Awaitable[object]]] = {}
        self.draining = False

    async def report(self) -> dict[str, Any]:
        """Ask every part; a part that answers False or raises is not ready."""
        found = {name: await _ready(check) for name, check in self.checks.items()}
        return {"ready": all(found.values()) and not self.draining, "draining": self.draining, "parts": found}


async def _ready(check: Callable[[], Awaitable[object]]) -> bool:
    try:
        return await check() is not False
    except Exception as error:  # noqa: BLE001 - whatever it is, the part is not ready
        telemetry.log.warning("readiness.part_away", exc_info=error)
        return False
