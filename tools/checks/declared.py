"""What the contract must say of itself: how each fact travels and who may call each verb."""

import re
from collections.abc import Iterator

from google.protobuf.descriptor_pb2 import DescriptorProto, FileDescriptorProto
from tongban.options.v1 import access_pb2, event_pb2

from tools.checks.glossary import contract
from tools.checks.outcome import Outcome

SUBJECT = re.compile(r"[a-z_]+\.[a-z_]+")


def facts() -> Outcome:
    """Every message of an events file is a fact with a subject of its own and a key that it carries."""
    problems: list[str] = []
    seen: dict[str, str] = {}
    for file, message in _facts():
        name = f"{file.package}.{message.name}"
        event = message.options.Extensions[event_pb2.event]
        subject = f"{file.package}.{event.subject}"
        if not SUBJECT.fullmatch(event.subject):
            problems.append(f"{name}: the event option needs a subject noun.fact")
        elif subject in seen:
            problems.append(f"{name}: {seen[subject]} has the same subject")
        if event.key not in {field.name for field in message.field}:
            problems.append(f"{name}: the event option needs a key that is one of its fields")
        seen[subject] = name
    return Outcome(tuple(problems), f"{len(seen)} facts")


def access() -> Outcome:
    """Every verb names its permission, in the name of its own service, and who may call."""
    problems: list[str] = []
    verbs = 0
    for file in contract().file:
        for service in file.service:
            for method in service.method:
                verbs += 1
                declared = method.options.Extensions[access_pb2.access]
                owner = file.package.split(".")[1]
                if not re.fullmatch(rf"{owner}:[a-z_]+", declared.permission) or not declared.callers:
                    problems.append(
                        f"{file.package}.{service.name}.{method.name}: needs access {owner}:verb and callers"
                    )
    return Outcome(tuple(problems), f"{verbs} verbs")


def _facts() -> Iterator[tuple[FileDescriptorProto, DescriptorProto]]:
    for file in contract().file:
        if file.name.startswith("tongban/") and file.name.endswith("_events.proto"):
            for message in file.message_type:
                # A message used by a fact as a field's type is not itself a fact.
                if not _is_part(file, message):
                    yield file, message


def _is_part(file: FileDescriptorProto, message: DescriptorProto) -> bool:
    name = f".{file.package}.{message.name}"
    return any(field.type_name == name for other in file.message_type for field in other.field)
