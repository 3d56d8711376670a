"""Routes by department and region: what answers show of others' data, and what asking for it by name gives."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
from demo.browser import Browser
from schemathesis import GenerationMode

from attack import cases
from attack.cases import MUTATING, Operation
from demo import newborn

TOO_MANY = 429
# the refusals that tell nothing of what lies behind them
SILENT = frozenset({401, 403, 404, 422})
PARAMETER = re.compile(r"\{([a-z_]+)\}")
# what people look for, beside nothing at all
QUERIES: tuple[dict[str, str], ...] = (
    {},
    {"page_size": "100"},
    {"region_code": "370302"},
    {"region_code": "370303"},
    {"org_path": "zibo"},
    {"q": "张"},
    {"q": "%"},
    {"state": "open"},
    {"undelivered": "true"},
    {"kind": "case"},
)

type JSON = dict[str, Any]


@dataclass(slots=True)
class Matter:
    """A filing, as its applicant knows it: the names of all its things, and whose each case is."""

    applicant: str
    ids: dict[str, list[str]] = field(default_factory=dict)
    cases: dict[str, str] = field(default_factory=dict)

    def of_others(self, org_path: str) -> set[str]:
        """The cases that are another department's, or another district's."""
        return {case_id for case_id, owner in self.cases.items() if owner != org_path}


async def file(mother: Browser, username: str, region: str, serial: int) -> Matter:
    """A newborn's matter of a mother alone, which needs nobody else's word."""
    begun = await newborn.begin(mother, newborn.form(serial, username, None), region=region)
    filing_id = begun["filing_id"]
    plan = await newborn.plan(mother, filing_id)
    filing = await newborn.submit(mother, filing_id, plan["plan_digest"])
    papers = await mother.get(f"orchestration/v1/filings/{filing_id}/documents")
    owners = {case["case_id"]: case["org_path"] for case in filing["cases"]}
    ids = {
        "filing_id": [filing_id],
        "case_id": list(owners),
        "document_id": [paper["document_id"] for paper in papers],
    }
    return Matter(username, ids, owners)


def lists(operations: Iterable[Operation], kind: str) -> Iterator[str]:
    """Every route that reads and names nothing: lists, searches, counts."""
    for operation in operations:
        if operation.method.upper() == "GET" and "{" not in operation.path and _is_for(operation, kind):
            yield operation.path.removeprefix("/api/")


async def shown(person: Browser, paths: Iterable[str]) -> AsyncIterator[tuple[str, httpx.Response]]:
    """What these routes answer, however they are asked."""
    for path in paths:
        if path.endswith("/stream"):
            continue
        for query in QUERIES:
            answer = await unhurried(person, "GET", path, params=query)
            yield f"{path}?{query}", answer


def named(
    operations: Iterable[Operation], kind: str, ids: dict[str, list[str]], seed: int
) -> Iterator[tuple[str, str, Any]]:
    """Every route that names one of these things, with a body that the document allows: method, path, body."""
    for operation in operations:
        wanted = PARAMETER.findall(operation.path)
        if not wanted or wanted[0] not in ids or not _is_for(operation, kind):
            continue
        (case,) = cases.drawn(operation, GenerationMode.POSITIVE, 1, seed)
        body = case.body if isinstance(case.body, dict) else {}
        for value in ids[wanted[0]]:
            path = PARAMETER.sub(value, operation.path)
            yield operation.method.upper(), path.removeprefix("/api/"), body


async def unhurried(person: Browser, method: str, path: str, body: Any = None, **more: Any) -> httpx.Response:
    """Ask, and again when we were too fast."""
    while True:
        sent = body if method in MUTATING else None
        answer = await person.call(method, path, sent, purpose="查阅", **more)
        if answer.status_code != TOO_MANY:
            return answer
        await asyncio.sleep(float(answer.headers["Retry-After"]))


def _is_for(operation: Operation, kind: str) -> bool:
    permission: JSON = operation.definition.raw["x-permission"]
    return kind in permission["callers"]
