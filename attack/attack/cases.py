"""The cases: drawn by schemathesis from the house's own document, led to things that are there, and made requests."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import quote

import hypothesis
import requests
import schemathesis
from hypothesis import HealthCheck, Phase
from hypothesis.strategies import SearchStrategy
from schemathesis import GenerationMode
from schemathesis.core.result import Ok

from attack import corpora

PURPOSE = quote("办理出生一件事")
MUTATING = frozenset({"POST", "PUT", "PATCH", "DELETE"})
# who is judged or merged here would be one of those who knock
SPARED = ("/accounts/v1/accounts/", "/accounts/v1/mergers", "/accounts/v1/posts/", "/accounts/v1/persons/{person_id}:")
MOST_KNOWN = 200

type Operation = schemathesis.APIOperation[Any, Any, Any, Any]
type Case = schemathesis.Case[Any]


@dataclass(frozen=True, slots=True)
class Sent:
    """One request as it goes over the wire, below a face's address."""

    operation: Operation
    case: Case
    url: str
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True)
class Known:
    """Names of things that answers told of: a later case asks for them, as a link would."""

    chance: random.Random
    values: dict[str, list[str]] = field(default_factory=dict)

    def hear(self, told: object) -> None:
        if isinstance(told, dict):
            for name, value in told.items():
                if isinstance(value, str) and name.endswith(("_id", "_no", "code", "digest", "cursor")):
                    kept = self.values.setdefault(name, [])
                    if value not in kept:
                        kept.append(value)
                        del kept[:-MOST_KNOWN]
                else:
                    self.hear(value)
        elif isinstance(told, list):
            for each in told[:50]:
                self.hear(each)

    def guess(self, name: str) -> str | None:
        """A value that this name had somewhere, most of the time."""
        kept = self.values.get(name)
        return self.chance.choice(kept) if kept and self.chance.random() < 0.7 else None  # noqa: PLR2004 - most


def operations(document: dict[str, Any]) -> list[Operation]:
    """Every operation of every service."""
    schema = schemathesis.openapi.from_dict(document)
    found: list[Operation] = [result.ok() for result in schema.get_all_operations() if isinstance(result, Ok)]
    return [each for each in found if each.path.startswith("/api/")]


def drawn(operation: Operation, mode: GenerationMode, count: int, seed: int) -> list[Case]:
    """Cases of one operation, the same for the same seed."""
    return examples(operation.as_strategy(generation_mode=mode), count, seed)


def examples[Example](strategy: SearchStrategy[Example], count: int, seed: int) -> list[Example]:
    """What a strategy draws, the same for the same seed."""
    found: list[Example] = []

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=count,
        phases=[Phase.generate],
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @hypothesis.given(strategy)
    def draw(example: Example) -> None:
        found.append(example)

    cast("Callable[[], None]", draw)()
    return found


def led(case: Case, known: Known) -> Case:
    """Put names of real things where the case made some up."""
    if not any(case.operation.path.startswith(f"/api{spared}") for spared in SPARED):
        for place in (case.path_parameters, case.query):
            for name in place or {}:
                if (value := known.guess(name)) is not None:
                    place[name] = value
        case.body = _led(case.body, known)
    return case


def _led(value: Any, known: Known) -> Any:
    if isinstance(value, dict):
        return {name: known.guess(name) or _led(each, known) for name, each in value.items()}
    return [_led(each, known) for each in value] if isinstance(value, list) else value


def poisoned(case: Case) -> Iterator[tuple[str, Case]]:
    """The case with one of its texts replaced by something nasty, text after text."""
    for place in ("query", "path_parameters", "body"):
        content = getattr(case, place)
        for path in _texts(content):
            for nasty in corpora.EVERYTHING:
                changed = case.operation.Case(
                    method=case.method,
                    path_parameters=dict(case.path_parameters or {}),
                    headers=dict(case.headers or {}),
                    query=dict(case.query or {}),
                    body=case.body,
                    media_type=case.media_type,
                )
                setattr(changed, place, _replaced(content, path, nasty))
                yield f"{place}.{'.'.join(map(str, path))}", changed


def _texts(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    if isinstance(value, str) and path:
        yield path
    elif isinstance(value, dict):
        for name, each in value.items():
            yield from _texts(each, (*path, name))
    elif isinstance(value, list) and value:
        yield from _texts(value[0], (*path, 0))


def _replaced(value: Any, path: tuple[str | int, ...], nasty: str) -> Any:
    if not path:
        return nasty
    copy: Any = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = _replaced(value[path[0]], path[1:], nasty)
    return copy


def sent(case: Case, face: str, public_url: str, headers: dict[str, str], key: str) -> Sent | None:
    """The request; None if no client could send it."""
    try:
        kwargs = case.as_transport_kwargs(base_url=f"{public_url}/{face}")
        kwargs["headers"] = {name: value for name, value in kwargs["headers"].items() if name.lower() not in _OURS}
        kwargs.pop("cookies", None)
        ready = requests.Request(**kwargs).prepare()
    except (ValueError, requests.RequestException, UnicodeError):
        return None
    body: Any = ready.body or b""
    ours = {"X-Purpose": PURPOSE} | headers
    if case.method.upper() in MUTATING:
        ours |= {"Idempotency-Key": key, "X-Tongban-CSRF": "1", "Origin": public_url}
    theirs = {name: str(value) for name, value in ready.headers.items() if name.lower() != "content-length"}
    return Sent(
        case.operation,
        case,
        str(ready.url),
        {**theirs, **ours},
        body.encode() if isinstance(body, str) else body,
    )


# what the role or the browser says; a document's examples of these only stop a case at the door
_OURS = frozenset({"x-post", "x-purpose", "idempotency-key", "user-agent", "cookie", "authorization"})
