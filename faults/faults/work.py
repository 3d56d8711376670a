"""What the people do: file a newborn's matter and follow it, and work through a todo list."""

import asyncio
import zlib
from collections.abc import Set as AbstractSet
from functools import partial

from demo.browser import CallRefused

from demo import newborn
from faults.ledger import JSON
from faults.person import Person

LOOK_AGAIN = 1.0
AT_ONCE = 3
CONFLICT = 409


async def file(mother: Person, serial: int, run: str) -> JSON:
    """Draft, look at the plan, submit; whoever is told that the plan has changed looks again."""
    name = f"{run}-{serial}"
    key = f"{name}-draft"
    draft = await mother.act("draft", name, key, lambda: newborn.draft(mother.browser, serial, key=key))
    filing_id: str = draft["filing_id"]
    while True:
        plan = await mother.ask(lambda: newborn.plan(mother.browser, filing_id))
        digest = plan["plan_digest"]
        key = f"{name}-submit-{digest[:8]}"
        submit = partial(newborn.submit, mother.browser, filing_id, digest, key=key)
        try:
            return await mother.act("submit", filing_id, key, submit)
        except CallRefused as refused:
            if refused.status != CONFLICT and refused.reason != "PLAN_CHANGED":
                raise


async def follow(mother: Person, filing_id: str) -> None:
    """Look until the filing is closed."""
    while (await mother.ask(lambda: newborn.filing(mother.browser, filing_id)))["state"] != "closed":
        await asyncio.sleep(LOOK_AGAIN)


async def attend(officer: Person, cases: AbstractSet[str]) -> None:
    """Work through what stands on the list of these cases, which become more, until told to stop."""
    done: set[str] = set()
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(todo: JSON) -> None:
        async with gate:
            try:
                await handle(officer, todo)
            except CallRefused as refused:
                # somebody else's word came first, or two of ours at once: the list will tell
                if refused.status != CONFLICT:
                    raise
            else:
                done.add(todo["source_id"])

    while True:
        todos = await officer.ask(lambda: newborn.open_todos(officer.browser))
        async with asyncio.TaskGroup() as group:
            for todo in todos:
                if todo["source_id"] in cases and todo["source_id"] not in done:
                    group.create_task(one(todo))
        await asyncio.sleep(LOOK_AGAIN)


async def handle(officer: Person, todo: JSON) -> None:
    """Claim, read, accept, approve: step by step, from wherever the case was left."""
    case_id, browser = todo["source_id"], officer.browser

    async def post(kind: str, path: str, body: JSON) -> JSON:
        key = f"{kind}-{case_id}"
        return await officer.act(kind, case_id, key, lambda: browser.post(path, body, key=key), body)

    if todo["state"] == "open":
        await post("claim", f"workbench/v1/todos/{todo['todo_id']}:claim", {})
    case = await officer.ask(partial(browser.get, f"orchestration/v1/cases/{case_id}", purpose=newborn.PURPOSE))
    if case["status"] == "ready":
        case = await post("accept", f"orchestration/v1/cases/{case_id}:accept", {})
    if case["status"] == "accepted":
        await post("approve", f"orchestration/v1/cases/{case_id}:approve", entered(case))


def entered(case: JSON) -> JSON:
    """What the officer enters: numbers that follow from the case, each another."""
    return {"result": newborn.result(case["item"], zlib.crc32(case["case_id"].encode()) % 10_000_000)}
