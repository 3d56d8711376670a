"""One concept, one word: the names of the contract and of the rules are made of the glossary's words."""

import ast
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from google.protobuf.descriptor_pb2 import DescriptorProto, FileDescriptorSet

from tools.checks.outcome import Outcome
from tools.checks.tree import ROOT, SERVICES, text

GLOSSARY = Path("docs/glossary.md")
ORDINARY = Path("tools/checks/words.txt")
ENGLISH, FORMS, NOT = 1, 3, 4  # columns of the table
SHORTEST_STEM = 2
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_ENDINGS = (
    ("ies", "y"),
    ("ied", "y"),
    ("es", ""),
    ("es", "e"),
    ("s", ""),
    ("ed", ""),
    ("ed", "e"),
    ("d", ""),
    ("ing", ""),
    ("ing", "e"),
    ("er", ""),
    ("er", "e"),
    ("ly", ""),
)


def glossary() -> Outcome:
    known, instead = words_of_glossary(text(GLOSSARY))
    known |= set(text(ORDINARY).split())
    unknown: dict[str, str] = {}
    for place, name in (*_contract_names(), *_rule_names()):
        for word in split(name):
            if known.isdisjoint(stems(word)):
                unknown.setdefault(word, f"{name} ({place})")
    return Outcome(
        tuple(f"{word} in {where}: {_advice(word, instead)}" for word, where in sorted(unknown.items())),
        f"{len(known)} words",
    )


def _advice(word: str, instead: dict[str, str]) -> str:
    right = next((instead[stem] for stem in stems(word) if stem in instead), None)
    return f"use {right}" if right else f"add it to {GLOSSARY}, or use a word from there"


def split(name: str) -> list[str]:
    """The words of an identifier, in lower case."""
    return [word.lower() for word in _WORD.findall(name)]


def stems(word: str) -> set[str]:
    """The word and what it may be a regular form of."""
    found = {word}
    for ending, stem in _ENDINGS:
        bare = word.removesuffix(ending)
        if bare != word and len(bare) >= SHORTEST_STEM:
            found.add(bare + stem)
            # The consonant doubled before -ed and -ing: stopped, stop.
            if ending in ("ed", "ing") and bare[-1] == bare[-2]:
                found.add(bare[:-1])
    return found


def words_of_glossary(table: str) -> tuple[set[str], dict[str, str]]:
    """The glossary's own words, and for each word it refuses the one to use."""
    known: set[str] = set()
    instead: dict[str, str] = {}
    for line in table.splitlines():
        cells = [cell.strip() for cell in line.strip().removeprefix("|").split("|")]
        if not line.startswith("|") or len(cells) <= NOT or cells[ENGLISH].startswith(("English", "-")):
            continue
        known.update(split(cells[ENGLISH]), *(split(form) for form in re.findall(r"`([^`]*)`", cells[FORMS])))
        instead.update(dict.fromkeys(split(cells[NOT]), cells[ENGLISH]))
    return known, instead


@cache
def contract() -> FileDescriptorSet:
    """The whole contract as protoc reads it."""
    files = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "proto").glob("tongban/**/*.proto"))
    with tempfile.NamedTemporaryFile() as image:
        command = [
            sys.executable,
            "-m",
            "grpc_tools.protoc",
            "-Iproto",
            "--include_imports",
            f"--descriptor_set_out={image.name}",
        ]
        subprocess.run([*command, *files], cwd=ROOT, check=True)
        return FileDescriptorSet.FromString(Path(image.name).read_bytes())


def _contract_names() -> Iterator[tuple[str, str]]:
    for file in contract().file:
        if not file.package.startswith("tongban."):
            continue
        for message in file.message_type:
            yield from ((file.name, name) for name in _message_names(message))
        for enum in file.enum_type:
            yield file.name, enum.name
            yield from ((file.name, value.name) for value in enum.value)
        for service in file.service:
            yield file.name, service.name
            yield from ((file.name, method.name) for method in service.method)


def _message_names(message: DescriptorProto) -> Iterator[str]:
    if message.options.map_entry:
        return
    yield message.name
    yield from (field.name for field in message.field)
    for nested in message.nested_type:
        yield from _message_names(nested)


def _rule_names() -> Iterator[tuple[str, str]]:
    for service in SERVICES:
        for room in ("domain", "usecases"):
            folder = ROOT / "services" / service / service
            for path in (folder / f"{room}.py", *sorted((folder / room).glob("**/*.py"))):
                if path.exists():
                    place = str(path.relative_to(ROOT))
                    yield from (
                        (place, name) for name in _public_names(path.read_text("utf-8"), classes=room == "domain")
                    )


def _public_names(source: str, *, classes: bool) -> Iterator[str]:
    for node in ast.parse(source).body:
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                wanted = True
            case ast.ClassDef(name=name):
                wanted = classes
            case _:
                continue
        if wanted and not name.startswith("_"):
            yield name
