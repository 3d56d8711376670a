"""Every door of the house, asked by everybody with whatever the document allows and with what it does not allow."""

import asyncio
import random
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import httpx
import schemathesis.checks
from schemathesis import GenerationMode
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi import checks as documented

from attack import cases, spoken, traces
from attack.cases import Case, Known, Operation, Sent
from attack.roles import Role
from attack.scan import Needles

AT_ONCE = 8
CHECKS = [
    schemathesis.checks.not_a_server_error,
    documented.status_code_conformance,
    documented.content_type_conformance,
    documented.response_schema_conformance,
]
# how the house says no; anything else is a no that nobody has decided on
REFUSALS = frozenset({400, 401, 403, 404, 405, 409, 413, 414, 422, 429, 431})
THRESHOLD = frozenset({"PERMISSION_MISSING", "CALLER_NOT_ALLOWED"})
SHOWN = 400
TOO_MANY = 429


@dataclass(frozen=True, slots=True)
class Finding:
    """What should not be, and the request that showed it."""

    role: str
    operation: str
    what: str
    request: str

    def __str__(self) -> str:
        return f"{self.role} at {self.operation}: {self.what}\n  {self.request}"


@dataclass(slots=True)
class Tally:
    """How much was asked, and what came of it."""

    asked: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    by_role: Counter[str] = field(default_factory=Counter)
    operations: set[str] = field(default_factory=set)
    done: set[str] = field(default_factory=set)
    refused: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


class Fuzz:
    """Asks, and looks at each answer."""

    def __init__(self, document: dict[str, Any], public_url: str, seed: int, *, needles: Needles | None = None) -> None:
        self.operations = cases.operations(document)
        self.tally = Tally()
        self._public_url = public_url
        self._seed = seed
        self.known = Known(random.Random(seed))  # noqa: S311 - to be repeated, not to be secret
        self._needles = needles
        self._serial = 0
        self._shut: set[tuple[str, str]] = set()

    async def ask_all(self, role: Role, *, each: int, nasty: int) -> None:
        """As one role: so many cases of every operation, good ones and bad ones, and nasty texts in good ones."""
        # lists first: what they tell leads the others to things that are there
        for operation in sorted(self.operations, key=lambda each: (each.method.upper() != "GET", each.path)):
            good = await asyncio.to_thread(cases.drawn, operation, GenerationMode.POSITIVE, each, self._seed)
            led = [cases.led(case, self.known) for case in good]
            await self._ask(role, led[:1])
            if (role.name, operation.label) in self._shut:
                continue  # whoever is turned away at the threshold sees nothing of the rest
            await self._ask(role, led[1:])
            await self._ask(role, await asyncio.to_thread(_bad, operation, each, self._seed))
            texts = (changed for case in good[:1] for _, changed in cases.poisoned(case))
            await self._ask(role, self._some(texts, nasty))

    async def no_traces(self, databases: traces.Databases) -> None:
        """Nothing that was refused has left a word or a fact anywhere."""
        left = await traces.left_by(databases, self.tally.refused)
        self.tally.findings += [Finding("-", "-", f"a refused call had an effect: {each}", "") for each in left]

    def _some(self, found: Iterable[Case], most: int) -> list[Case]:
        listed = list(islice(found, 5_000))
        return self.known.chance.sample(listed, min(most, len(listed)))

    async def ask_one(self, role: Role, case: Case) -> httpx.Response | None:
        """One case; None if no client could send it."""
        self._serial += 1
        key = f"attack-{self._seed}-{role.name}-{self._serial}"
        sent = cases.sent(case, role.browser.face, self._public_url, role.headers, key)
        return None if sent is None else await self._knock(role, sent)

    async def _ask(self, role: Role, asked: list[Case]) -> None:
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(case: Case) -> None:
            async with gate:
                await self.ask_one(role, case)

        await asyncio.gather(*(one(case) for case in asked))

    async def _knock(self, role: Role, sent: Sent) -> httpx.Response | None:
        answer = await self._answer(role, sent)
        if answer is None:
            return None
        self.tally.asked += 1
        self.tally.statuses[answer.status_code] += 1
        self.tally.by_role[role.name] += 1
        self.tally.operations.add(sent.operation.label)
        if answer.is_success:
            self.tally.done.add(sent.operation.label)
            if "json" in answer.headers.get("Content-Type", ""):
                self.known.hear(answer.json())
        for what in [*wrong(sent, answer), *self._blabbed(answer)]:
            request = f"{sent.case.method} {sent.url[:SHOWN]} {sent.body[:SHOWN]!r} -> {answer.status_code}"
            self.tally.findings.append(Finding(role.name, sent.operation.label, what, request))
        problem = _problem(answer)
        if problem.get("reason") in THRESHOLD:
            self._shut.add((role.name, sent.operation.label))
        if not answer.is_success and sent.case.method.upper() in cases.MUTATING:
            self.tally.refused += [problem["trace_id"]] if "trace_id" in problem else []
        return answer

    def _blabbed(self, answer: httpx.Response) -> list[str]:
        """What a refusal tells of people and secrets, and of how the house is built."""
        if answer.is_success:
            return []
        found = self._needles.in_bytes("a refusal", answer.content) if self._needles else ()
        return [*map(str, found), *(f"a refusal tells {what}" for what in spoken.insides(answer.content))]

    async def _answer(self, role: Role, sent: Sent) -> httpx.Response | None:
        http = role.browser.http
        try:
            request = http.build_request(sent.case.method, sent.url, headers=_latin(sent.headers), content=sent.body)
        except (httpx.InvalidURL, ValueError):
            return None  # no client sends this; what bytes alone can say is asked over a socket
        while True:
            answer: httpx.Response = await http.send(request, stream=True)
            try:
                # a stream would go on for long: its beginning says enough
                if "event-stream" not in answer.headers.get("Content-Type", ""):
                    await answer.aread()
            finally:
                await answer.aclose()
            if answer.status_code != TOO_MANY:
                return answer
            await asyncio.sleep(float(answer.headers["Retry-After"]))


def _bad(operation: Operation, count: int, seed: int) -> list[Case]:
    """Cases that the document does not allow; an operation that takes nothing has none."""
    try:
        return cases.drawn(operation, GenerationMode.NEGATIVE, count, seed)
    except Exception as error:
        if type(error).__name__ in {"Unsatisfiable", "SkipTest", "InvalidArgument"}:
            return []
        raise


def wrong(sent: Sent, answer: httpx.Response) -> list[str]:
    """All that is wrong with an answer."""
    found = []
    if "event-stream" in answer.headers.get("Content-Type", ""):
        return []
    try:
        sent.case.validate_response(answer, checks=CHECKS)
    except FailureGroup as group:
        found += [f"{type(each).__name__}: {str(each)[:SHOWN]}" for each in group.exceptions]
    for name, value in (("X-Content-Type-Options", "nosniff"), ("Cache-Control", "no-store")):
        if value not in answer.headers.get(name, ""):
            found.append(f"no {name}: {value}")
    if answer.is_success:
        return found
    if answer.status_code not in REFUSALS:
        found.append(f"nobody has decided on {answer.status_code}")
    problem = _problem(answer)
    if not problem.get("reason") or problem.get("status") != answer.status_code:
        found.append(f"the refusal has no reason: {answer.text[:SHOWN]}")
    return found


def _problem(answer: httpx.Response) -> dict[str, Any]:
    if answer.headers.get("Content-Type", "").partition(";")[0] != "application/problem+json":
        return {}
    told: dict[str, Any] = answer.json()
    return told


def _latin(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    return [
        (name.encode("latin-1", "replace"), str(value).encode("latin-1", "replace")) for name, value in headers.items()
    ]
