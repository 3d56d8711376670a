"""Hearing of it: the mother and the officers have a page open, through the front door."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from demo.browser import Browser
from demo.people import Cast

from demo import newborn
from e2e.waiting import eventually
from tools.runner.control import Control

ACCEPT = {"Accept": "text/event-stream"}


class Page:
    """A page that is open: every event it was told."""

    def __init__(self) -> None:
        self.events: list[tuple[str, str, dict[str, Any]]] = []

    def told(self, name: str) -> list[dict[str, Any]]:
        return [data for _, event, data in self.events if event == name]

    def submitted(self) -> list[dict[str, Any]]:
        return [message for message in self.told("message") if message["kind"] == "filing_submitted"]

    @property
    def last_event_id(self) -> str:
        return self.events[-1][0]

    async def read(self, person: Browser) -> None:
        """Read until the stream ends, as a browser's EventSource does; it names the last event that it saw."""
        url = f"{person.public_url}/{person.face}/api/workbench/v1/stream"
        headers = ACCEPT | ({"Last-Event-ID": self.last_event_id} if self.events else {})
        fields: dict[str, str] = {}
        async with person.http.stream("GET", url, headers=headers) as answer:
            answer.raise_for_status()
            async for line in answer.aiter_lines():
                name, _, value = line.partition(": ")
                fields |= {name: value} if value else {}
                if not line and "data" in fields:
                    self.events.append((fields["id"], fields["event"], json.loads(fields["data"])))
                    fields = {}

    async def stay(self, person: Browser) -> None:
        """Come back whenever the stream ends."""
        while True:
            try:
                await self.read(person)
            except httpx.HTTPError:
                await asyncio.sleep(0.2)


@asynccontextmanager
async def open_page(person: Browser) -> AsyncIterator[Page]:
    page = Page()
    staying = asyncio.create_task(page.stay(person))
    try:
        await eventually(lambda: _now(page.told("counts")))
        yield page
    finally:
        staying.cancel()


async def _now[T](seen: T) -> T:
    return seen


async def filed(mother: Browser, serial: int) -> str:
    draft = await newborn.draft(mother, serial)
    plan = await newborn.plan(mother, draft["filing_id"])
    await newborn.submit(mother, draft["filing_id"], plan["plan_digest"])
    filing_id: str = draft["filing_id"]
    return filing_id


async def test_people_hear_of_a_filing_while_it_happens(people: Cast, consent: newborn.JSON) -> None:
    health = people.officers["health"]
    async with open_page(people.mother) as hers, open_page(people.mother) as second_tab, open_page(health) as theirs:
        before = theirs.told("counts")[-1]["todos"]["open"]
        await filed(people.mother, 71)
        for page in (hers, second_tab):
            (told,) = await eventually(lambda page=page: _now(page.submitted()))
            assert (told["kind"], told["title"]) == ("filing_submitted", "申请已提交")
        await eventually(lambda: _now(theirs.told("counts")[-1]["todos"]["open"] > before))
    listed = (await people.mother.get("workbench/v1/messages", params={"unread": True}))["items"]
    assert told["message_id"] in {message["message_id"] for message in listed}
    read = await people.mother.post(f"workbench/v1/messages/{told['message_id']}:read", {})
    assert read["read_at"] is not None


async def test_a_restart_of_the_workbench_loses_no_message(people: Cast, consent: newborn.JSON) -> None:
    control = Control.from_environment()
    async with open_page(people.mother) as page:
        first = await filed(people.mother, 72)
        await eventually(lambda: _now(page.submitted()))
        await control.kill("workbench", "KILL")
        second = await filed(people.mother, 73)
        await control.wait_ready("workbench")
        third = await filed(people.mother, 74)
        await eventually(lambda: _now(len(page.submitted()) >= 3), within=30)
    listed = (await people.mother.get("workbench/v1/messages", params={"page_size": 100}))["items"]
    told = [message["message_id"] for message in page.submitted()]
    by_source = {message["source_id"]: message["message_id"] for message in listed}
    assert told == [by_source[filing_id] for filing_id in (first, second, third)]
    numbers = [int(number) for number, name, _ in page.events if name == "message"]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
