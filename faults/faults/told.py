"""What the house's own doors tell when all is over, read to the end of every list."""

import asyncio
from dataclasses import dataclass
from functools import partial

from demo import newborn
from faults.ledger import JSON
from faults.person import Person

AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class Told:
    """Everything that the mother and the officers are shown."""

    listed: list[JSON]
    filings: dict[str, JSON]
    timelines: dict[str, list[JSON]]
    licences: list[JSON]
    messages: list[JSON]
    todos: list[JSON]


async def tell(mother: Person, officers: list[Person], filing_ids: list[str]) -> Told:
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(filing_id: str) -> tuple[JSON, list[JSON]]:
        async with gate:
            filing = await mother.ask(lambda: newborn.filing(mother.browser, filing_id))
            return filing, await every(mother, f"orchestration/v1/filings/{filing_id}/timeline")

    found = await asyncio.gather(*(one(filing_id) for filing_id in filing_ids))
    waiting = [await officer.ask(partial(newborn.open_todos, officer.browser)) for officer in officers]
    return Told(
        listed=await every(mother, "orchestration/v1/filings"),
        filings={filing["filing_id"]: filing for filing, _ in found},
        timelines={filing["filing_id"]: timeline for filing, timeline in found},
        licences=await every(mother, "verification/v1/me/licences"),
        messages=await every(mother, "workbench/v1/messages"),
        todos=[todo for todos in waiting for todo in todos],
    )


async def every(person: Person, path: str) -> list[JSON]:
    items: list[JSON] = []
    params: JSON = {"page_size": 100}
    while True:
        page = await person.ask(partial(person.browser.get, path, params=dict(params)))
        items += page["items"]
        if page["next_cursor"] is None:
            return items
        params["cursor"] = page["next_cursor"]
