"""Messages of any kind that the contract knows, drawn from its descriptor: fit ones, absurd ones, and mere bytes."""

import importlib
import pkgutil
import random
from collections.abc import Iterator
from functools import partial
from typing import Any

import tongban
from google.protobuf import message_factory
from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor
from google.protobuf.message import Message
from hypothesis import strategies as st
from tongban.options.v1 import event_pb2

from attack import cases, corpora
from attack.cases import Known

# as generated code and the library describe it, each by a class of its own
type Field = Any

UNKNOWN_ENUM = (-1, 99, 2**31 - 1)
NUMBERS = {
    FieldDescriptor.CPPTYPE_INT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.CPPTYPE_INT64: (-(2**63), 2**63 - 1),
    FieldDescriptor.CPPTYPE_UINT32: (0, 2**32 - 1),
    FieldDescriptor.CPPTYPE_UINT64: (0, 2**64 - 1),
}
MIB = 1 << 20
MANY = 10_000
NO_IDS = (
    "",
    "0",
    "00000000-0000-0000-0000-000000000000",
    "{00000000-0000-7000-8000-000000000201}",
    "urn:uuid:00000000-0000-7000-8000-000000000201",
    "00000000000070008000000000000201",
    "00000000-0000-7000-8000-00000000020g",
    "01a1ff1c-0000-7000-8000-00000000dead",
)


def verbs() -> Iterator[MethodDescriptor]:
    """Every verb of the contract: a new one is asked without a word here."""
    for file in _files():
        for service in file.services_by_name.values():
            yield from service.methods


def facts() -> Iterator[Descriptor]:
    """Every message of the contract that travels as a fact."""
    for file in _files():
        yield from (
            each
            for each in file.message_types_by_name.values()
            if each.GetOptions().Extensions[event_pb2.event].subject
        )


def owner(described: Descriptor | MethodDescriptor) -> str:
    """The service whose contract this is of."""
    return str(described.full_name.split(".")[1])


def _files() -> Iterator[Any]:
    for found in pkgutil.walk_packages(tongban.__path__, "tongban."):
        if found.name.endswith("_pb2"):
            yield importlib.import_module(found.name).DESCRIPTOR


def drawn(descriptor: Descriptor, count: int, seed: int) -> list[Message]:
    """Messages of one kind, the same for the same seed."""
    return cases.examples(_values(descriptor).map(partial(made, descriptor)), count, seed)


def made(descriptor: Descriptor, values: dict[str, Any]) -> Message:
    """A message with these values."""
    message: Message = message_factory.GetMessageClass(descriptor)(**values)
    return message


def led(message: Message, known: Known) -> Message:
    """The same message, with names of real things where it made some up."""
    for field in message.DESCRIPTOR.fields:
        value = getattr(message, field.name)
        if _is_map(field):
            continue
        if field.cpp_type == FieldDescriptor.CPPTYPE_MESSAGE:
            for each in value if field.is_repeated else [value] * message.HasField(field.name):
                led(each, known)
        elif field.cpp_type == FieldDescriptor.CPPTYPE_STRING and field.is_repeated:
            value[:] = [known.guess(field.name.removesuffix("s")) or each for each in value]
        elif field.cpp_type == FieldDescriptor.CPPTYPE_STRING:
            setattr(message, field.name, known.guess(field.name) or value)
    return message


def huge(descriptor: Descriptor) -> Iterator[tuple[str, Message]]:
    """For each field what is too much of it: a text of a megabyte, a list of ten thousand."""
    field: Field
    for field in descriptor.fields:
        if _is_map(field):
            yield f"{MANY} in {field.name}", made(descriptor, {field.name: {str(n): "x" for n in range(MANY)}})
        elif field.cpp_type == FieldDescriptor.CPPTYPE_MESSAGE:
            for what, inner in huge(field.message_type):
                yield f"{field.name}: {what}", made(descriptor, {field.name: [inner] if field.is_repeated else inner})
            if field.is_repeated:
                yield f"{MANY} in {field.name}", made(descriptor, {field.name: [{}] * MANY})
        elif field.cpp_type == FieldDescriptor.CPPTYPE_STRING:
            long = "深" * (MIB // 3)
            yield f"a megabyte in {field.name}", made(descriptor, {field.name: [long] if field.is_repeated else long})
            if field.is_repeated:
                ids = [f"00000000-0000-7000-8000-{n:012}" for n in range(MANY)]
                yield f"{MANY} in {field.name}", made(descriptor, {field.name: ids})


def garbage(sound: bytes, seed: int) -> Iterator[tuple[str, bytes]]:
    """Bytes that are no message of the kind that these are."""
    chance = random.Random(seed)  # noqa: S311 - to be repeated, not to be secret
    yield "no UTF-8", b"\x0a\x02\xc3\x28"
    yield "a length past the end", b"\x0a\xff\xff\xff\x7f"
    yield "a number without end", b"\x08" + b"\xff" * 20
    yield "field nought", b"\x00\x00"
    yield "an open group", b"\x0b" * 200
    yield "another wire type", b"\x0d\x00\x00\x00\x00\x15\x01\x02\x03\x04\x18\x01\x20\x01"
    yield "messages in messages", _nested(200)
    yield "noise", chance.randbytes(300)
    yield "more noise", chance.randbytes(64 * 1024)
    if len(sound) > 1:
        yield "half a message", sound[: len(sound) - 1]
        place = chance.randrange(len(sound))
        yield "a flipped bit", sound[:place] + bytes([sound[place] ^ 0x80]) + sound[place + 1 :]


def _nested(deep: int) -> bytes:
    inner = b""
    for _ in range(deep):
        inner = b"\x12" + _varint(len(inner)) + inner
    return inner


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:  # noqa: PLR2004 - seven bits at a time
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def _values(descriptor: Descriptor) -> st.SearchStrategy[dict[str, Any]]:
    """Values for any of the fields; what is left out is absent on the wire as well."""
    return st.fixed_dictionaries({}, optional={field.name: _value(field) for field in descriptor.fields})


def _value(field: Field) -> st.SearchStrategy[Any]:
    if _is_map(field):
        return st.dictionaries(_texts(), _texts(), max_size=4)
    one = _one(field)
    return st.lists(one, max_size=4) if field.is_repeated else one


def _one(field: Field) -> st.SearchStrategy[Any]:
    match field.cpp_type:
        case FieldDescriptor.CPPTYPE_STRING:
            return st.binary(max_size=40) if field.type == FieldDescriptor.TYPE_BYTES else _texts()
        case FieldDescriptor.CPPTYPE_MESSAGE:
            return _values(field.message_type).map(partial(made, field.message_type))
        case FieldDescriptor.CPPTYPE_ENUM:
            return st.sampled_from([*field.enum_type.values_by_number, *UNKNOWN_ENUM])
        case FieldDescriptor.CPPTYPE_BOOL:
            return st.booleans()
        case FieldDescriptor.CPPTYPE_FLOAT | FieldDescriptor.CPPTYPE_DOUBLE:
            return st.floats(width=32)
        case kind:
            least, most = NUMBERS[kind]
            return st.one_of(st.sampled_from([0, 1, -1 if least else 2, least, most]), st.integers(least, most))


def _texts() -> st.SearchStrategy[str]:
    return st.one_of(
        st.sampled_from(NO_IDS),
        st.sampled_from(corpora.EVERYTHING),
        st.uuids().map(str),
        st.text(st.characters(exclude_categories=["Cs"]), max_size=40),
    )


def _is_map(field: Field) -> bool:
    return bool(field.message_type and field.message_type.GetOptions().map_entry)
