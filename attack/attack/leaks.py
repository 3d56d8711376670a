"""A matter whose things others may not get, and asking for them without hurry."""

import asyncio
import re
from dataclasses import dataclass, field
from typing import Any

import httpx
from demo.browser import Browser

from attack.cases import MUTATING
from demo import newborn

TOO_MANY = 429
PARAMETER = re.compile(r"\{([a-z_]+)\}")
type JSON = dict[str, Any]


@dataclass(slots=True)
class Matter:
    """A filing, as its applicant knows it: the names of all its things, and whose each case is."""

    applicant: str
    ids: dict[str, list[str]] = field(default_factory=dict)
    cases: dict[str, str] = field(default_factory=dict)


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


async def unhurried(person: Browser, method: str, path: str, body: Any = None, **more: Any) -> httpx.Response:
    """Ask, and again when we were too fast."""
    while True:
        sent = body if method in MUTATING else None
        answer = await person.call(method, path, sent, purpose="查阅", **more)
        if answer.status_code != TOO_MANY:
            return answer
        await asyncio.sleep(float(answer.headers["Retry-After"]))
