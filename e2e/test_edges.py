"""The arrows of the README's picture, as one request's trace leaves them in the logs of every part it passed."""

import json
import os
import secrets
from pathlib import Path

from demo.people import Cast

from demo import newborn
from e2e.waiting import eventually

LOGS = Path(os.environ["TONGBAN_INSTANCE_DIR"]) / "logs"
# from the browser through the gateway; by gRPC to who holds licences and departments; by the bus to the todo lists
EDGES = {
    ("gateway", "http"),
    ("orchestration", "http"),
    ("verification", "rpc"),
    ("accounts", "rpc"),
    ("workbench", "bus"),
}


def passed(trace_id: str) -> set[tuple[str, str]]:
    """Which doors of which part wrote a line of this trace."""
    found = set()
    for service, _ in EDGES:
        for line in (LOGS / f"{service}.log").read_text(encoding="utf-8").splitlines():
            if trace_id in line and line.startswith("{"):
                found.add((service, json.loads(line).get("door", "")))
    return found


async def test_one_trace_runs_through_every_arrow(people: Cast, consent: newborn.JSON) -> None:
    draft = await newborn.draft(people.mother, 41)
    plan = await newborn.plan(people.mother, draft["filing_id"])
    trace_id = secrets.token_hex(16)
    answer = await people.mother.call(
        "POST",
        f"orchestration/v1/filings/{draft['filing_id']}:submit",
        {"plan_digest": plan["plan_digest"]},
        headers={"traceparent": f"00-{trace_id}-{secrets.token_hex(8)}-01"},
    )
    assert answer.status_code == 200

    async def everywhere() -> bool:
        return passed(trace_id) >= EDGES

    await eventually(everywhere)
