"""Facts that never were: of every kind, with bodies and headers that nobody would write."""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from google.protobuf import message_factory
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from tongban.options.v1 import event_pb2

from attack import corpora, messages

# every id in a made-up fact begins so: whatever it leaves is known by it
OURS = "badc0de0"
# of nobody who is in the city, so that a scan for its people is not led astray
PERSONAL = ("欧阳试验", "110101190001011237", "13900139000")
NO_TIMES = (
    "",
    "yesterday",
    "2026-11-21",
    "2026-11-21T10:00:00",
    "0001-01-01T00:00:00+23:59",
    "9999-12-31T23:59:59-23:59",
    "0001-01-01T00:00:00+00:00",
    "9999-12-31T23:59:59+00:00",
    "1969-12-31T23:59:59.999999+00:00",
)
NO_MOMENTS = (
    (-1, 0),
    (2**63 - 1, 0),
    (-(2**63), 0),
    (253_402_300_799, 0),
    (-62_135_596_800, 0),
    (0, -1),
    (0, 2**31 - 1),
)
NO_TRACES = ("", "garbage", f"00-{'0' * 32}-{'0' * 16}-00", f"ff-{'f' * 32}-{'f' * 16}-ff", "x" * 4_000)
NO_IDS = ("", "not-an-id", "1", "x" * 300, "' or 1=1 --")
BIG = "深" * 300_000


@dataclass(frozen=True, slots=True)
class Told:
    """One made-up fact for the bus."""

    what: str
    subject: str
    headers: Mapping[str, str]
    body: bytes


class Liar:
    """Makes facts up, the same for the same seed."""

    def __init__(self, seed: int) -> None:
        self.kinds = list(messages.facts())
        self._seed = seed
        self._chance = random.Random(seed)  # noqa: S311 - to be repeated, not to be secret

    def facts(self, kind: Descriptor, *, drawn: int, nasty: int) -> Iterator[Told]:
        """Everything that is wrong with a fact of one kind, after a sound one."""
        name, subject, sound = str(kind.full_name), self._subject(kind), self._sound(kind)
        body, headers = sound.SerializeToString(), self._headers(name)

        def told(what: str, body: bytes = body, headers: Mapping[str, str] | None = None) -> Told:
            return Told(f"{name}: {what}", subject, self._headers(name) if headers is None else headers, body)

        yield told("sound", headers=headers)
        yield told("the same again", headers=headers)
        yield told("the same id with another body", self._sound(kind).SerializeToString(), headers)
        yield told("no body", b"")
        for what, mere in messages.garbage(body, self._seed):
            yield told(what, mere)
        for message in messages.drawn(kind, drawn, self._seed):
            yield told("drawn", self._ours(message).SerializeToString())
        for what, changed in self._changed(sound, nasty):
            yield told(what, changed.SerializeToString())
        other = self._chance.choice([each for each in self.kinds if each is not kind])
        yield told("another kind's body", self._sound(other).SerializeToString())
        yield told("another kind's name", headers=self._headers(str(other.full_name)))
        yield told("a kind that is none", headers=self._headers("tongban.nobody.v9.Nothing"))
        yield told("no headers", headers={})
        for header in ("ce-id", "ce-type", "ce-time"):
            yield told(
                f"no {header}", headers={key: each for key, each in self._headers(name).items() if key != header}
            )
        for header, values in _HEADERS.items():
            for value in values:
                yield told(f"{header} {value[:40]!r}", headers=self._headers(name) | {header: value})

    def _sound(self, kind: Descriptor) -> Message:
        """A fact as it should be, about nobody who is there."""
        return self._ours(message_factory.GetMessageClass(kind)())

    def _ours(self, message: Message) -> Message:
        """Let every id in it be one of ours, and everything else hold something."""
        for each in message.DESCRIPTOR.fields:
            if each.is_repeated:
                continue
            if _is_moment(each):
                if not message.HasField(each.name):
                    getattr(message, each.name).FromDatetime(datetime.now(UTC))
            elif each.cpp_type == FieldDescriptor.CPPTYPE_STRING and each.name.endswith("_id"):
                setattr(message, each.name, self._id())
            elif each.cpp_type == FieldDescriptor.CPPTYPE_STRING:
                setattr(message, each.name, getattr(message, each.name) or "made-up")
        return message

    def _changed(self, sound: Message, nasty: int) -> Iterator[tuple[str, Message]]:
        """The sound fact with one field changed, or two swapped."""
        single = [each for each in sound.DESCRIPTOR.fields if not each.is_repeated]
        texts = [each.name for each in single if each.cpp_type == FieldDescriptor.CPPTYPE_STRING]
        for one, other in pairwise(texts):
            yield f"{one} and {other} swapped", _with(sound, {one: getattr(sound, other), other: getattr(sound, one)})
        for each in single:
            for value in self._values(each, nasty):
                yield f"{each.name} = {str(value)[:40]!r}", _with(sound, {each.name: value})
        if texts:
            yield f"{texts[0]} of 900 kB", _with(sound, {texts[0]: BIG})
        yield "everything about a person", _with(sound, dict(zip(texts, PERSONAL * len(texts), strict=False)))

    def _values(self, each: messages.Field, nasty: int) -> Sequence[Any]:
        match each.cpp_type:
            case FieldDescriptor.CPPTYPE_MESSAGE:
                moments = [Timestamp(seconds=seconds, nanos=nanos) for seconds, nanos in NO_MOMENTS]
                return moments if _is_moment(each) else ()
            case FieldDescriptor.CPPTYPE_STRING:
                return ["", "\x00", *PERSONAL[1:2], *self._chance.sample(corpora.EVERYTHING, nasty)]
            case FieldDescriptor.CPPTYPE_ENUM:
                return messages.UNKNOWN_ENUM
            case FieldDescriptor.CPPTYPE_BOOL:
                return (True,)
            case kind:
                return messages.NUMBERS[kind]

    def _id(self) -> str:
        return f"{OURS}-0000-4000-8000-{self._chance.getrandbits(48):012x}"

    def _headers(self, kind: str) -> dict[str, str]:
        trace = f"{self._chance.getrandbits(128):032x}"
        return {
            "ce-id": self._id(),
            "ce-type": kind,
            "ce-time": datetime.now(UTC).isoformat(),
            "ce-actor": "service:nobody",
            "traceparent": f"00-{trace}-{'2' * 16}-00",
        }

    def _subject(self, kind: Descriptor) -> str:
        option, version = kind.GetOptions().Extensions[event_pb2.event], kind.full_name.split(".")[2]
        return ".".join(("evt", messages.owner(kind), version, option.subject, self._id()))


_HEADERS = {
    "ce-id": NO_IDS,
    "ce-time": NO_TIMES,
    "traceparent": NO_TRACES,
    "ce-actor": (*PERSONAL, "x" * 60_000),
    "ce-type": ("", "x" * 5_000, "深"),
}


def _with(sound: Message, values: Mapping[str, Any]) -> Message:
    changed = type(sound)()
    changed.CopyFrom(sound)
    for name, value in values.items():
        if isinstance(value, Message):
            getattr(changed, name).CopyFrom(value)
        else:
            setattr(changed, name, value)
    return changed


def _is_moment(each: messages.Field) -> bool:
    return bool(each.message_type and each.message_type.full_name == Timestamp.DESCRIPTOR.full_name)
