"""Every gRPC call of every service, by everybody, with whatever a message can hold and with what is no message."""

import asyncio
import json
import random
import secrets
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import quote

import grpc
from google.protobuf import json_format, message_factory
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from attack import corpora, messages, spoken
from attack.callers import Caller
from attack.cases import Known
from attack.fuzz import SHOWN, Finding, Tally
from demo import city

AT_ONCE = 8
WITHIN = 10.0
# how the house says no to a call: the table of common.rpc, without its word for a part that is away: none is
REFUSALS = frozenset(
    {
        grpc.StatusCode.FAILED_PRECONDITION,
        grpc.StatusCode.NOT_FOUND,
        grpc.StatusCode.INVALID_ARGUMENT,
        grpc.StatusCode.PERMISSION_DENIED,
        grpc.StatusCode.UNAUTHENTICATED,
        grpc.StatusCode.ABORTED,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
    }
)
# said before anything of ours reads the call: more bytes than any message has
UNREAD = grpc.StatusCode.RESOURCE_EXHAUSTED
NASTY_HEADERS = (
    ("x-post", "' or '1'='1"),
    ("x-post", "x" * 5_000),
    ("x-purpose", "%00"),
    ("x-purpose", quote("深" * 1_000)),
    ("x-purpose", "%ff%fe%"),
    ("traceparent", "00-" + "g" * 32 + "-0000000000000000-zz"),
    ("traceparent", "00-" + "0" * 32 + "-" + "0" * 16 + "-01"),
    ("authorization", "Bearer " + "A" * 7_000),
    ("authorization", "Basic YTpi"),
)


type Ask = grpc.aio.UnaryUnaryMultiCallable[bytes, bytes]

FILING = "01a1ff1c-0000-7000-8000-00000000f111"


def acquainted(seed: int) -> Known:
    """What everybody can know of the demo city, under the names that the contract has for it."""
    known = Known(random.Random(seed))  # noqa: S311 - to be repeated, not to be secret
    organisations, people, companies = city.organisations(), city.citizens(), city.legal_persons()
    for things in (organisations, people, companies, city.employees()):
        known.hear(things)
    known.values |= {
        "holder_id": [each["person_id"] for each in people],
        "on_behalf_of": [each["legal_person_id"] for each in companies],
        "uscc": [each["uscc"] for each in companies],
        "issuer_uscc": [each["uscc"] for each in organisations],
        "issuer_org_id": [each["org_id"] for each in organisations],
        "issuer_org_path": [each["org_path"] for each in organisations],
        "department": [each["department"] for each in organisations if each.get("department")],
        "licence_type": [each["code"] for each in city.licence_types()],
        "matter_code": [each["code"] for each in city.matters()],
        "code": [each["app"] for matter in city.matters() for each in matter["items"] if each.get("app")],
        "filing_id": [FILING],
        "key": ["mother", "father"],
        "purpose": ["办理出生一件事"],
    }
    return known


@dataclass(frozen=True, slots=True)
class Call:
    """One call as it goes over the wire."""

    method: MethodDescriptor
    what: str
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()


class Calls:
    """Asks, and looks at each answer."""

    def __init__(self, targets: dict[str, str], known: Known, seed: int) -> None:
        self.methods = list(messages.verbs())
        self.tally = Tally()
        self.codes: Counter[str] = Counter()
        self._known = known
        self._seed = seed
        self._channels = {name: grpc.aio.insecure_channel(target) for name, target in targets.items()}
        self._chance = random.Random(seed)  # noqa: S311 - to be repeated, not to be secret

    async def close(self) -> None:
        for channel in self._channels.values():
            await channel.close()

    async def ask_all(self, caller: Caller, *, each: int, nasty: int, huge: bool) -> None:
        """As one caller: so many drawn messages of every call, nasty texts in some, and what is no message at all."""
        for method in self.methods:
            await self._ask(caller, await asyncio.to_thread(self._made, method, each, nasty))
            if huge:
                await self._ask(caller, _huge(method))

    def _made(self, method: MethodDescriptor, each: int, nasty: int) -> list[Call]:
        drawn = messages.drawn(method.input_type, each, self._seed)
        bodies = [messages.led(message, self._known).SerializeToString() for message in drawn]
        poisoned = [body for message in drawn for body in _poisoned(message)]
        return [
            *(Call(method, "drawn", body) for body in bodies),
            *(Call(method, what, body) for what, body in messages.garbage(max(bodies, key=len), self._seed)),
            *(Call(method, name, bodies[-1], ((name, value),)) for name, value in NASTY_HEADERS),
            *(Call(method, "nasty", body) for body in self._chance.sample(poisoned, min(nasty, len(poisoned)))),
        ]

    async def _ask(self, caller: Caller, calls: Iterable[Call]) -> None:
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(call: Call) -> None:
            async with gate:
                await self._knock(caller, call)

        await asyncio.gather(*(one(call) for call in calls))

    async def _knock(self, caller: Caller, call: Call) -> None:
        # of no seed: what this call leaves is told by it from what a fact of the same seed, or an earlier run, has left
        trace = secrets.token_hex(16)
        own = {"traceparent": f"00-{trace}-{'1' * 16}-00"}
        sent = dict(caller.metadata) | own | dict(call.headers)
        path = f"/{call.method.containing_service.full_name}/{call.method.name}"
        ask: Ask = self._channels[messages.owner(call.method)].unary_unary(path)
        name = f"{messages.owner(call.method)}.{call.method.name}"
        self.tally.asked += 1
        self.tally.by_role[caller.name] += 1
        self.tally.operations.add(name)
        try:
            answer = await ask(call.body, timeout=WITHIN, metadata=tuple(sent.items()))
        except grpc.aio.AioRpcError as error:
            self.codes[error.code().name] += 1
            found = list(wrong(error))
            self.tally.refused.append(trace)
        else:
            self.codes["OK"] += 1
            found = []
            self._hear(call.method, answer)
            self.tally.done.add(name)
        shown = f"{call.what}: {call.body[:SHOWN]!r} {call.headers!r:.200}"
        self.tally.findings += [Finding(caller.name, name, what, shown) for what in found]

    def _hear(self, method: MethodDescriptor, answer: bytes) -> None:
        message: Message = message_factory.GetMessageClass(method.output_type).FromString(answer)
        self._known.hear(json_format.MessageToDict(message, preserving_proto_field_name=True))


def _huge(method: MethodDescriptor) -> Iterator[Call]:
    for what, message in messages.huge(method.input_type):
        yield Call(method, what, message.SerializeToString())
    yield Call(method, "five megabytes", b"\x0a\x80\x80\xc0\x02" + b"x" * (5 << 20))


def _poisoned(message: Message) -> Iterator[bytes]:
    """The message with one of its texts replaced by something nasty."""
    for field in message.DESCRIPTOR.fields:
        if field.cpp_type == field.CPPTYPE_STRING and not field.is_repeated:
            for nasty in corpora.EVERYTHING:
                changed = type(message)()
                changed.CopyFrom(message)
                setattr(changed, field.name, nasty)
                yield changed.SerializeToString()


def wrong(error: grpc.aio.AioRpcError) -> Iterator[str]:
    """All that is wrong with a refusal."""
    code = error.code()
    if code not in REFUSALS:
        yield f"nobody has decided on {code.name}: {error.details()}"
    status = rpc_status.from_call(error)
    info, said = error_details_pb2.ErrorInfo(), error_details_pb2.LocalizedMessage()
    for detail in status.details if status else ():
        detail.Unpack(info)
        detail.Unpack(said)
    if code is not UNREAD and not (info.reason and said.message):
        yield f"the refusal has no reason: {code.name}"
    told = json.dumps([error.details(), info.reason, dict(info.metadata), said.message], ensure_ascii=False)
    for what in spoken.insides(told.encode()):
        yield f"the refusal tells {what}: {told[:SHOWN]}"
