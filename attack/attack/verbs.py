"""Every verb of the contract, asked past the gateway as another service would ask."""

import importlib
import pkgutil
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import grpc
import tongban
from google.protobuf import message_factory
from google.protobuf.message import Message
from pydantic_settings import BaseSettings, SettingsConfigDict
from tongban.options.v1 import access_pb2

WITHIN = 10
KINDS = {
    access_pb2.CALLER_CITIZEN: "citizen",
    access_pb2.CALLER_OFFICER: "officer",
    access_pb2.CALLER_SERVICE: "service",
}


class Ports(BaseSettings):
    """Where the services that have verbs answer each other."""

    model_config = SettingsConfigDict(frozen=True)

    accounts_grpc_port: int
    verification_grpc_port: int
    workbench_grpc_port: int

    def of(self, service: str) -> int:
        port: int = getattr(self, f"{service}_grpc_port")
        return port


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
    """All of them, read from the generated contract: a new one is asked without a word here."""
    modules = (each.name for each in pkgutil.walk_packages(tongban.__path__, "tongban."))
    return [
        _verb(method)
        for name in sorted(modules)
        if name.endswith("_service_pb2")
        for service in importlib.import_module(name).DESCRIPTOR.services_by_name.values()
        for method in service.methods
    ]


def _verb(method: Any) -> Verb:
    access = method.GetOptions().Extensions[access_pb2.access]
    return Verb(
        service=access.permission.partition(":")[0],
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
    """Lines to every service that has verbs."""
    ports = Ports()
    async with AsyncExitStack() as stack:
        named = {each.service for each in verbs()}
        channels = {
            service: await stack.enter_async_context(grpc.aio.insecure_channel(f"127.0.0.1:{ports.of(service)}"))
            for service in named
        }
        yield Wire(channels)
