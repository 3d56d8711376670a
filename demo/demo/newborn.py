"""What the people of the newborn's story do, each in words of their own: consent, file, claim, accept, approve."""

from collections.abc import Collection
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


def form(serial: int) -> JSON:
    """What the mother fills in: a made-up child."""
    return {
        "child_name": "张安",
        "child_sex": "female",
        "birth_time": "2026-11-18T06:20:00+08:00",
        "hospital": "淄博市妇幼保健院",
        "birth_registration_no": f"ZB{serial:08d}",
        "mother_name": city.citizen("lijing")["name"],
        "father_name": city.citizen("zhangwei")["name"],
        "father_id": city.citizen("zhangwei")["person_id"],
        "surname_from": "father",
        "household_address": "淄博市张店区马尚街道示范路1号",
        "phone": city.citizen("lijing")["phone"],
        "insured_place": "淄博市张店区",
        "bank_account": "6222000000000000000",
        "card_pickup": "mail",
    }


async def draft(mother: Browser, serial: int, *, key: str | None = None) -> JSON:
    filing: JSON = await mother.post(
        "orchestration/v1/filings",
        {
            "matter_code": MATTER,
            "region_code": REGION,
            "form": form(serial),
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
