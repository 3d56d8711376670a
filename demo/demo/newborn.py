"""What the people of the newborn's story do, each in words of their own: consent, file, claim, accept, approve."""

import asyncio
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Any

from demo import city
from demo.browser import Browser, CallRefused

MATTER = "newborn"
REGION = "370303"
ID_CARD = "11100000000013127D001"
PURPOSE = "办理新生儿出生一件事"
# decided by their departments' own systems, without an officer
BY_APPS = {"social_security_card", "vaccination_certificate"}
JSON = dict[str, Any]


async def ask(mother: Browser, father_id: str, filing_id: str) -> None:
    """The mother asks for the father's identity card, for one filing."""
    asked = {"holder_id": father_id, "licence_types": [ID_CARD], "matter_code": MATTER}
    await mother.post("verification/v1/consent-requests", asked | {"filing_id": filing_id, "purpose": PURPOSE})


async def agree(father: Browser, filing_id: str, *, at: datetime) -> None:
    """The father finds the request that waits, and says yes."""
    asked = (await father.get("verification/v1/me/consent-requests"))["items"]
    for each in asked:
        if (each["filing_id"], each["answer"]) == (filing_id, "waiting"):
            until = {"valid_until": (at + timedelta(days=90)).isoformat()}
            await father.post(f"verification/v1/consent-requests/{each['consent_request_id']}:grant", until)


async def grant(father: Browser, *, at: datetime) -> JSON:
    """The father allows the mother to have his identity card verified for this matter."""
    consent: JSON = await father.post(
        "verification/v1/consents",
        {
            "grantee_id": city.citizen("lijing")["person_id"],
            "licence_types": [ID_CARD],
            "matter_code": MATTER,
            "valid_until": (at + timedelta(days=90)).isoformat(),
        },
    )
    return consent


def form(serial: int, mother: str = "lijing", father: str | None = "zhangwei") -> JSON:
    """What a mother fills in: a made-up child, hers and the father's, or hers alone."""
    content = {
        "child_name": "张安",
        "child_sex": "female",
        "birth_time": "2026-11-18T06:20:00+08:00",
        "hospital": "淄博市妇幼保健院",
        "birth_registration_no": f"ZB{serial:08d}",
        "mother_name": city.citizen(mother)["name"],
        "household_address": "淄博市张店区马尚街道示范路1号",
        "phone": city.citizen(mother)["phone"],
        "insured_place": "淄博市张店区",
        "bank_account": "6222000000000000000",
        "card_pickup": "mail",
    }
    if father is None:
        return content | {"parents": "mother_alone", "surname_from": "mother"}
    named = {"father_name": city.citizen(father)["name"], "father_id": city.citizen(father)["person_id"]}
    return content | named | {"parents": "both", "surname_from": "father"}


async def draft(mother: Browser, serial: int, *, key: str | None = None) -> JSON:
    return await begin(mother, form(serial), key=key)


async def begin(mother: Browser, content: JSON, *, region: str = REGION, key: str | None = None) -> JSON:
    """Begin a filing with what the mother filled in."""
    filing: JSON = await mother.post(
        "orchestration/v1/filings",
        {
            "matter_code": MATTER,
            "region_code": region,
            "form": content,
            "determinants": {"mother_insured": "insured"},
        },
        key=key,
    )
    return filing


async def plan(mother: Browser, filing_id: str) -> JSON:
    compiled: JSON = await mother.get(f"orchestration/v1/filings/{filing_id}/plan")
    return compiled


async def submit(mother: Browser, filing_id: str, digest: str, *, key: str | None = None) -> JSON:
    filing: JSON = await mother.post(f"orchestration/v1/filings/{filing_id}:submit", {"plan_digest": digest}, key=key)
    return filing


async def filing(mother: Browser, filing_id: str) -> JSON:
    found: JSON = await mother.get(f"orchestration/v1/filings/{filing_id}")
    return found


async def every(person: Browser, path: str) -> list[JSON]:
    """All pages of a list."""
    items: list[JSON] = []
    cursor: str | None = None
    while True:
        page = await person.get(path, params={"page_size": 100} | ({"cursor": cursor} if cursor else {}))
        items += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            return items


def result(item_code: str, serial: int) -> JSON:
    """What the deciding officer enters: the numbers the department gives."""
    match item_code:
        case "birth_certificate":
            return {"certificate_no": f"T{serial:09d}"}
        case "vaccination_certificate":
            return {"certificate_no": f"YM{serial:08d}"}
        case "household_registration":
            return {"child_id_number": "370303190001010024"}
        case "social_security_card":
            return {"card_no": f"ZB{serial:07d}"}
        case _:
            return {}


async def open_todos(officer: Browser) -> list[JSON]:
    """What waits on this officer's list: open ones and those claimed earlier."""
    todos: list[JSON] = []
    for state in ("open", "claimed"):
        page = await officer.get("workbench/v1/todos", params={"state": state, "page_size": 100})
        todos += page["items"]
    return todos


async def handle(officer: Browser, todo: JSON, serial: int) -> None:
    """Claim, read, accept, approve: one case as its officer handles it, step by step, wherever it was left."""
    case_id = todo["source_id"]
    if todo["state"] == "open":
        await officer.post(f"workbench/v1/todos/{todo['todo_id']}:claim", {}, key=f"claim-{todo['todo_id']}")
    case = await officer.get(f"orchestration/v1/cases/{case_id}", purpose=PURPOSE)
    if case["status"] == "ready":
        case = await officer.post(f"orchestration/v1/cases/{case_id}:accept", {}, key=f"accept-{case_id}")
    if case["status"] == "accepted":
        entered = {"result": result(case["item"], serial)}
        await officer.post(f"orchestration/v1/cases/{case_id}:approve", entered, key=f"approve-{case_id}")


async def work(officer: Browser, serial: int, *, handled: set[str], only: Collection[str] | None = None) -> int:
    """Go once through the list; what was done a moment ago and still stands there is passed over."""
    done = 0
    for todo in await open_todos(officer):
        if todo["source_id"] in handled or (only is not None and todo["source_id"] not in only):
            continue
        try:
            await handle(officer, todo, serial)
        except CallRefused as refused:
            if refused.status != 409:
                raise
        handled.add(todo["source_id"])
        done += 1
    return done


async def decide_together(officers: Iterable[Browser], filing: JSON, serial: int, *, handled: set[str]) -> None:
    """Let every officer go once through the list, for one filing's cases."""
    mine = {case["case_id"] for case in filing["cases"]}
    async with asyncio.TaskGroup() as group:
        for officer in officers:
            group.create_task(work(officer, serial, handled=handled, only=mine))
