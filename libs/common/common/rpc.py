"""The gRPC door and the calls that go through the others' doors.

A verb's access is its proto option; a verb without one keeps the service from starting. Handlers are wrapped once,
at start, instead of passing every call through an interceptor.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextvars import ContextVar
from pathlib import Path
from time import perf_counter
from typing import Any, NoReturn, Protocol
from urllib.parse import quote

import grpc
from google.protobuf import any_pb2, descriptor_pool, message_factory
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1._async import HealthServicer
from grpc_reflection.v1alpha import reflection
from grpc_status import rpc_status
from listening import messages
from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt, wait_random_exponential
from tongban.options.v1 import access_pb2

from common import config, journal, telemetry
from common.auth import Actor, Authenticator, Call, TokenMissing
from common.config import Sentences
from common.errors import Invalid, Kind, Refusal, RemoteRefusal, Unavailable
from common.permissions import Caller, Permission, check

_CODE = {
    Kind.REFUSED: grpc.StatusCode.FAILED_PRECONDITION,
    Kind.NOT_FOUND: grpc.StatusCode.NOT_FOUND,
    Kind.INVALID: grpc.StatusCode.INVALID_ARGUMENT,
    Kind.DENIED: grpc.StatusCode.PERMISSION_DENIED,
    Kind.UNAUTHENTICATED: grpc.StatusCode.UNAUTHENTICATED,
    Kind.STEP_UP: grpc.StatusCode.UNAUTHENTICATED,
    Kind.CONFLICT: grpc.StatusCode.ABORTED,
    Kind.TOO_MANY: grpc.StatusCode.RESOURCE_EXHAUSTED,
    Kind.UNAVAILABLE: grpc.StatusCode.UNAVAILABLE,
}
_KIND = {code: kind for kind, code in _CODE.items() if kind is not Kind.STEP_UP}
_CALLERS = {
    access_pb2.CALLER_CITIZEN: Caller.CITIZEN,
    access_pb2.CALLER_OFFICER: Caller.OFFICER,
    access_pb2.CALLER_SERVICE: Caller.SERVICE,
}
_DOMAIN = "tongban"
_LONGEST_CALL = 30.0
_OPTIONS = (
    ("grpc.max_receive_message_length", 4 << 20),
    ("grpc.max_concurrent_streams", 1000),
    ("grpc.so_reuseport", 0),
)

_actor: ContextVar[Actor] = ContextVar("actor")

type Add = Callable[[Any, Any], None]
type Context = grpc.aio.ServicerContext[Any, Any]
type Handler = grpc.RpcMethodHandler[Any, Any]


class PeerUnavailable(Unavailable):
    """Another service is away, broken or too slow."""


class MessageUnreadable(Invalid):
    """What was sent is not a message of this verb, or holds what no table of ours could."""


class Server:
    """A gRPC server with its health, which says NOT_SERVING as soon as it drains."""

    def __init__(self) -> None:
        self.grpc = grpc.aio.server(options=_OPTIONS)
        self._health = HealthServicer()
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self.grpc)

    async def start(self, port: int, host: str = "127.0.0.1") -> int:
        """Open the door; tells the port, which the system chooses when it is 0."""
        bound = self.grpc.add_insecure_port(f"{host}:{port}")
        await self.grpc.start()
        await self._health.set("", health_pb2.HealthCheckResponse.SERVING)
        return bound

    async def stop(self, grace: float = 10) -> None:
        """Take no new calls, finish those under way."""
        await self._health.enter_graceful_shutdown()
        await self.grpc.stop(grace)


def server(app: object, services: Sequence[tuple[Add, Any]], authenticator: Authenticator, locale: Path) -> Server:
    """Build the service's gRPC door from the generated `add_…_to_server` functions and their servicers.

    A servicer is given as its class, built here with the app, or as an object that was built already.
    """
    sentences = config.sentences(locale)
    made = Server()
    names = [reflection.SERVICE_NAME, "grpc.health.v1.Health"]
    for add, servicer in services:
        doors = _Doors(authenticator, sentences)
        add(servicer(app) if isinstance(servicer, type) else servicer, doors)
        for name, handlers in doors.wrapped.items():
            made.grpc.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(name, handlers),))
            made.grpc.add_registered_method_handlers(name, handlers)
            names.append(name)
    reflection.enable_server_reflection(names, made.grpc)
    return made


def actor(_context: Context) -> Actor:
    """Tell who calls, inside a servicer's method."""
    return _actor.get()


class _Doors:
    """Stands in for the server while generated code registers, to wrap each method on its way."""

    def __init__(self, authenticator: Authenticator, sentences: Sentences) -> None:
        self._authenticator = authenticator
        self._sentences = sentences
        self.wrapped: dict[str, dict[str, Handler]] = {}

    def add_generic_rpc_handlers(self, handlers: object) -> None:
        """Ignore: the same methods come by name."""

    def add_registered_method_handlers(self, name: str, handlers: Mapping[str, Handler]) -> None:
        described = descriptor_pool.Default().FindServiceByName(name)
        service = described.file.package.split(".")[1]
        self._sentences.require(service)
        self.wrapped[name] = {
            verb: grpc.unary_unary_rpc_method_handler(
                self._guard(service, described.methods_by_name[verb], handler.unary_unary),
                response_serializer=handler.response_serializer,
            )
            for verb, handler in handlers.items()
        }

    def _guard(self, service: str, method: Any, handle: Any) -> Callable[[Any, Any], Awaitable[Any]]:
        permission = _permission(method)
        verb, kind = f"{service}.{_snake(method.name)}", message_factory.GetMessageClass(method.input_type)

        # Bytes, not a message: gRPC itself would answer what it cannot read with UNKNOWN and the words of a library.
        async def guarded(sent_bytes: bytes, context: Context) -> Message:
            began = perf_counter()
            sent = {key: value for key, value in context.invocation_metadata() or () if isinstance(value, str)}
            outcome = "OK"
            with telemetry.span(verb, parent=sent.get("traceparent", "")):
                try:
                    who = await self._authenticate(verb, sent)
                    _actor.set(who)
                    check(who, permission)
                    # A caller without a deadline gets ours: nothing here waits for ever.
                    async with asyncio.timeout(None if context.time_remaining() else _LONGEST_CALL):
                        answer: Message = await handle(_read(kind, sent_bytes), context)
                        return answer
                except Refusal as refusal:
                    outcome = refusal.reason
                    await _refuse(context, refusal, service, self._sentences)
                except (ConnectionError, TimeoutError) as error:
                    outcome = "UNAVAILABLE"
                    telemetry.log.warning("rpc.part_away", service=service, exc_info=error)
                    await _refuse(context, PeerUnavailable(), service, self._sentences)
                except (asyncio.CancelledError, grpc.aio.AbortError):
                    outcome = "CANCELLED"
                    raise
                except Exception as error:  # noqa: BLE001 - the last catch: the caller gets an answer, the log the stack
                    outcome = "INTERNAL"
                    telemetry.log.error("rpc.unexpected", service=service, exc_info=error)
                    await context.abort(grpc.StatusCode.INTERNAL, "Something unexpected happened")
                finally:
                    _note(service, verb, outcome, perf_counter() - began)

        return guarded

    async def _authenticate(self, verb: str, sent: Mapping[str, str]) -> Actor:
        token = sent.get("authorization", "")
        if token[:7].lower() != "bearer ":
            raise TokenMissing
        call = Call(route=verb, purpose=journal.purpose_of(sent.get("x-purpose")), trace_id=telemetry.trace_id())
        return await self._authenticator.actor(token[7:].strip(), sent.get("x-post") or None, call)


def _read(kind: type[Message], sent: bytes) -> Message:
    try:
        return messages.read(kind, sent)
    except messages.Unfit as unfit:
        raise MessageUnreadable(field=str(unfit)) from unfit


def _note(service: str, verb: str, outcome: str, seconds: float) -> None:
    telemetry.DOOR_SECONDS.labels(service, "rpc", verb, outcome).observe(seconds)
    who = _actor.get(None)
    caller = {"caller": who.kind.value, "caller_id": who.id} if who else {}
    telemetry.log.info(verb, door="rpc", outcome=outcome, ms=round(seconds * 1000, 1), **caller)


def _permission(method: Any) -> Permission:
    access = method.GetOptions().Extensions[access_pb2.access]
    if not access.permission or not access.callers:
        raise TypeError(f"{method.full_name} must declare its access option")
    return Permission(access.permission, frozenset(_CALLERS[each] for each in access.callers), access.acr or 1)


def _snake(name: str) -> str:
    return "".join(f"_{each.lower()}" if each.isupper() else each for each in name).lstrip("_")


async def _refuse(context: Context, refusal: Refusal, service: str, sentences: Sentences) -> NoReturn:
    code = _CODE[refusal.kind]
    data = {"kind": refusal.kind.value} | {key: str(value) for key, value in refusal.data.items()}
    info = error_details_pb2.ErrorInfo(reason=refusal.reason, domain=f"{service}.{_DOMAIN}", metadata=data)
    said = error_details_pb2.LocalizedMessage(locale="zh-CN", message=sentences.say(refusal))
    details = [any_pb2.Any(), any_pb2.Any()]
    details[0].Pack(info)
    details[1].Pack(said)
    status = status_pb2.Status(code=code.value[0], message=refusal.reason, details=details)
    await context.abort_with_status(rpc_status.to_status(status))


def channel(target: str) -> grpc.aio.Channel:
    """Open a channel to another service; it connects when first used and again after a break."""
    return grpc.aio.insecure_channel(
        target,
        options=(
            ("grpc.max_receive_message_length", 4 << 20),
            ("grpc.initial_reconnect_backoff_ms", 100),
            ("grpc.max_reconnect_backoff_ms", 2000),
            ("grpc.keepalive_time_ms", 30_000),
            ("grpc.service_config", '{"loadBalancingConfig":[{"round_robin":{}}]}'),
        ),
    )


class Method[Request, Answer](Protocol):
    """A stub's method."""

    def __call__(
        self, request: Request, /, *, timeout: float | None = None, metadata: Any = None
    ) -> Awaitable[Answer]: ...


async def call[Request, Answer](
    method: Method[Request, Answer],
    request: Request,
    *,
    actor: Actor | None = None,
    token: str = "",
    timeout: float = 2.0,  # noqa: ASYNC109 - it travels with the call as its deadline
    idempotent: bool = True,
) -> Answer:
    """Ask another service, as the actor who asked us (with post and purpose) or with a token of our own.

    Its refusal comes back as ours.
    """
    metadata = [("authorization", f"Bearer {token or (actor.token if actor else '')}")]
    if actor is not None and actor.post is not None:
        metadata.append(("x-post", actor.post.id))
    if actor is not None and actor.call.purpose:
        metadata.append(("x-purpose", quote(actor.call.purpose)))
    if current := telemetry.traceparent():
        metadata.append(("traceparent", current))
    retrying = AsyncRetrying(
        retry=retry_if_exception(_away),
        stop=stop_after_attempt(3 if idempotent else 1),
        wait=wait_random_exponential(multiplier=0.05, max=0.5),
        reraise=True,
    )

    async def ask() -> Answer:
        return await method(request, timeout=timeout, metadata=metadata)

    try:
        return await retrying(ask)
    except grpc.aio.AioRpcError as error:
        raise _refusal(error) from error


def _away(error: BaseException) -> bool:
    return isinstance(error, grpc.aio.AioRpcError) and error.code() is grpc.StatusCode.UNAVAILABLE


def _refusal(error: grpc.aio.AioRpcError) -> Refusal:
    """Read the other's refusal; what carries none is a peer that is away, broken or too slow."""
    kind: Kind | None = _KIND.get(error.code())
    status = rpc_status.from_call(error)
    if kind is None or kind is Kind.UNAVAILABLE or status is None:
        return PeerUnavailable(code=error.code().name)
    info, said = error_details_pb2.ErrorInfo(), error_details_pb2.LocalizedMessage()
    for detail in status.details:
        detail.Unpack(info)
        detail.Unpack(said)
    data = dict(info.metadata)
    kind = Kind(data.pop("kind", kind.value))
    return RemoteRefusal(info.reason or error.code().name, kind=kind, sentence=said.message, **data)
