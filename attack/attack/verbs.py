"""Every verb of the contract, asked past the gateway as another service would ask."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from urllib.parse import quote

import grpc
from google.protobuf import message_factory
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from tongban.options.v1 import access_pb2

from attack import messages
from attack.settings import Settings

WITHIN = 10
KINDS = {
    access_pb2.CALLER_CITIZEN: "citizen",
    access_pb2.CALLER_OFFICER: "officer",
    access_pb2.CALLER_SERVICE: "service",
}


@dataclass(frozen=True, slots=True)
class Verb:
    """One verb, and to whom the contract opens it."""

    service: str
    path: str
    permission: str
    callers: frozenset[str]
    acr: int
    request: type[Message]
    answer: type[Message]

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Told:
    """What came back: the reason of a refusal, or the answer."""

    reason: str
    code: str = ""
    answer: Message | None = None


def verbs() -> list[Verb]:
    """All of them, as the contract describes them."""
    return [_verb(method) for method in messages.verbs()]


def _verb(method: MethodDescriptor) -> Verb:
    access = method.GetOptions().Extensions[access_pb2.access]
    return Verb(
        service=messages.owner(method),
        path=f"/{method.containing_service.full_name}/{method.name}",
        permission=access.permission,
        callers=frozenset(KINDS[each] for each in access.callers),
        acr=access.acr or 1,
        request=message_factory.GetMessageClass(method.input_type),
        answer=message_factory.GetMessageClass(method.output_type),
    )


class Wire:
    """Open lines to the services."""

    def __init__(self, channels: Mapping[str, grpc.aio.Channel]) -> None:
        self._channels = channels

    async def ask(
        self, verb: Verb, token: str | None, request: Message | None = None, *, post: str = "", purpose: str = ""
    ) -> Told:
        """Ask a verb, with nothing in the request unless one is given."""
        sent = [("authorization", f"Bearer {token}")] if token is not None else []
        sent += [("x-post", post)] if post else []
        sent += [("x-purpose", quote(purpose))] if purpose else []
        method = self._channels[verb.service].unary_unary(
            verb.path, request_serializer=verb.request.SerializeToString, response_deserializer=verb.answer.FromString
        )
        try:
            answer: Message = await method(request or verb.request(), timeout=WITHIN, metadata=sent)
        except grpc.aio.AioRpcError as error:
            return Told(error.details() or "", error.code().name)
        return Told("", "OK", answer)


@asynccontextmanager
async def wire() -> AsyncIterator[Wire]:
    """Lines to every service."""
    async with AsyncExitStack() as stack:
        channels = {
            service: await stack.enter_async_context(grpc.aio.insecure_channel(target))
            for service, target in Settings().grpc.items()
        }
        yield Wire(channels)
