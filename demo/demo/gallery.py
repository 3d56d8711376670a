"""Lays out the gallery: one filing for every way that the matter can stand, each step by the session of who takes it.

What is there already stays; what time has moved on is laid out anew.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from demo import city, newborn
from demo.browser import Browser
from demo.people import Sessions
from demo.settings import Settings

JSON = dict[str, Any]
PATIENCE = 60.0  # seconds until a filing is given up as stuck
SCAN = b"\x89PNG\r\n\x1a\n(a made-up scan)"


class GalleryStuck(Exception):
    """A filing does not come to show what it is laid out for."""


@dataclass(frozen=True, slots=True)
class Exhibit:
    """One filing of the gallery, as `demo/gallery.yaml` has it."""

    code: str
    name: str
    shows: Mapping[str, str]
    seen: Mapping[str, str]
    mother: str = "yangxue"
    father: str | None = "maqiang"
    region: str = newborn.REGION
    form: Mapping[str, Any] = field(default_factory=dict)
    consent: str = "granted"
    scans: tuple[str, ...] = ()
    submit: bool = True
    steps: tuple[JSON, ...] = ()
    officers: tuple[str, ...] = ()
    incident: str | None = None
    proposes: str | None = None
    answers: tuple[JSON, ...] = ()

    @property
    def registration_no(self) -> str:
        """What the filing is known by when the gallery is laid out again."""
        return f"HL-{self.code}"

    @property
    def content(self) -> JSON:
        form = newborn.form(0, self.mother, self.father) | {"birth_registration_no": self.registration_no, **self.form}
        return {name: value for name, value in form.items() if value is not None}

    def is_shown_by(self, filing: JSON) -> bool:
        stands = {case["item"]: case["status"] for case in filing["cases"]} | {"state": filing["state"]}
        return self._is_own(filing) and self.shows.items() <= stands.items()

    def _is_own(self, filing: JSON) -> bool:
        if self.proposes is not None:
            return bool(filing["matter_code"] == self.proposes)
        return bool(filing["form"].get("birth_registration_no") == self.registration_no)


def exhibits() -> list[Exhibit]:
    return [Exhibit(**each) for each in city.read("gallery")["filings"]]


async def lay_out(
    settings: Settings, *, at: datetime, told: Callable[[Exhibit, JSON], None]
) -> list[tuple[Exhibit, JSON]]:
    """Every exhibit with its filing."""
    laid = []
    async with Sessions(settings) as sessions:
        mothers = {exhibit.mother for exhibit in exhibits()}
        there = {mother: await _filings(await sessions.of(mother)) for mother in mothers}
        for exhibit in exhibits():
            shown = next(filter(exhibit.is_shown_by, there[exhibit.mother]), None)
            filing = shown or await _lay(sessions, exhibit, at=at)
            told(exhibit, filing)
            laid.append((exhibit, filing))
    return laid


async def _filings(mother: Browser) -> list[JSON]:
    lines = await newborn.every(mother, "orchestration/v1/filings")
    return [await newborn.filing(mother, line["filing_id"]) for line in lines]


async def _lay(sessions: Sessions, exhibit: Exhibit, *, at: datetime) -> JSON:
    mother = await sessions.of(exhibit.mother)
    filing = await newborn.begin(mother, exhibit.content, region=exhibit.region)
    filing_id = filing["filing_id"]
    if exhibit.father is not None:
        await newborn.ask(mother, city.citizen(exhibit.father)["person_id"], filing_id)
        if exhibit.consent == "granted":
            await newborn.agree(await sessions.of(exhibit.father), filing_id, at=at)
    for requirement in exhibit.scans:
        await mother.upload(
            f"orchestration/v1/filings/{filing_id}/attachments", requirement, f"{requirement}.png", SCAN
        )
    if exhibit.submit:
        plan = await newborn.plan(mother, filing_id)
        filing = await newborn.submit(mother, filing_id, plan["plan_digest"])
    for step in exhibit.steps:
        await _take(await sessions.of(step["who"]), step, filing)
    if exhibit.officers:
        await _decide(mother, [await sessions.of(name) for name in exhibit.officers], filing_id)
    if exhibit.incident is not None:
        await _incident(await sessions.of(exhibit.incident), filing_id)
    if exhibit.proposes is not None:
        filing = await _until(lambda: _proposed(mother, filing), exhibit.code)
        filing_id = filing["filing_id"]
    for step in exhibit.answers:
        await _take(await sessions.of(step["who"]), step, filing)
    return await _until(lambda: _shown(mother, exhibit, filing_id), exhibit.code)


async def _take(person: Browser, step: JSON, filing: JSON) -> None:
    """One step: on one of the cases, or on the whole filing."""
    if "item" not in step:
        await person.post(f"orchestration/v1/filings/{filing['filing_id']}:{step['does']}", {})
        return
    case = next(each for each in filing["cases"] if each["item"] == step["item"])
    path = f"orchestration/v1/cases/{case['case_id']}"
    if step["does"] == "handle":
        await person.post(f"{path}:accept", {})
        await person.post(f"{path}:approve", {"result": newborn.result(step["item"], 1)})
    else:
        await person.post(f"{path}:{step['does']}", step.get("body", {}))


async def _decide(mother: Browser, officers: list[Browser], filing_id: str) -> None:
    """Let the officers work through their lists until the filing is closed."""
    handled: set[str] = set()

    async def closed() -> bool:
        filing = await newborn.filing(mother, filing_id)
        await newborn.decide_together(officers, filing, 1, handled=handled)
        return bool(filing["state"] == "closed")

    await _until(closed, filing_id)


async def _incident(operator: Browser, filing_id: str) -> None:
    async def told() -> bool:
        stuck = await operator.get("orchestration/v1/operations/stuck")
        return any(each["filing_id"] == filing_id for each in stuck["incidents"])

    await _until(told, filing_id)


async def _proposed(mother: Browser, source: JSON) -> JSON | None:
    """What a filing proposed to its mother."""
    for line in await newborn.every(mother, "orchestration/v1/filings"):
        if line["state"] == "proposed":
            told = await mother.get(f"orchestration/v1/filings/{line['filing_id']}/proposal")
            if told["source_filing_id"] == source["filing_id"]:
                return await newborn.filing(mother, line["filing_id"])
    return None


async def _shown(mother: Browser, exhibit: Exhibit, filing_id: str) -> JSON | None:
    filing = await newborn.filing(mother, filing_id)
    return filing if exhibit.is_shown_by(filing) else None


async def _until[T](look: Callable[[], Awaitable[T | None]], what: str) -> T:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if seen := await look():
            return seen
        await asyncio.sleep(0.2)
    raise GalleryStuck(what)
