"""`python -m attack.main --cases 20000 --seed 1`, beside a house that is up with the demo city's people."""

import argparse
import asyncio
import json
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
from demo.settings import Settings as DemoSettings

from attack import traces
from attack.fuzz import Fuzz, Tally
from attack.roles import roles
from attack.settings import Settings
from demo import loader

ROOT = Path(__file__).resolve().parents[2]
RESULT = ROOT / "bench" / "results" / "attack.json"
# of one operation in one go: what answers tell then leads the next round
EACH, NASTY = 6, 20


async def run(wanted: int, seed: int) -> dict[str, Any]:
    """Round after round with a new seed, until so many cases were asked."""
    settings, public_url = Settings(), DemoSettings().public_url
    began = time.monotonic()
    await loader.load(DemoSettings(), told=lambda *_: None)
    async with httpx.AsyncClient(trust_env=False, base_url=public_url) as http:
        document = (await http.get("/openapi.json")).json()
    tallies: list[Tally] = []
    async with traces.opened(settings) as databases, roles() as everybody:
        while sum(tally.asked for tally in tallies) < wanted:
            fuzz = Fuzz(document, public_url, seed + len(tallies))
            for role in everybody:
                await fuzz.ask_all(role, each=EACH, nasty=NASTY)
                print(f"{role.name}: {fuzz.tally.asked} asked, {len(fuzz.tally.findings)} found", file=sys.stderr)
            await fuzz.no_traces(databases)
            tallies.append(fuzz.tally)
    return {"seed": seed, "seconds": round(time.monotonic() - began, 1), **told(tallies, len(fuzz.operations))}


def told(tallies: list[Tally], operations: int) -> dict[str, Any]:
    """The counts, and each kind of finding with one of its requests."""
    findings = [finding for tally in tallies for finding in tally.findings]
    kinds = {(finding.operation, finding.what[:80]): str(finding) for finding in findings}
    asked = {name for tally in tallies for name in tally.operations}
    done = {name for tally in tallies for name in tally.done}
    return {
        "cases": sum(tally.asked for tally in tallies),
        "operations": {"documented": operations, "asked": len(asked), "carried_out": len(done)},
        "by_role": dict(sum((tally.by_role for tally in tallies), Counter[str]())),
        "by_status": dict(sorted(sum((tally.statuses for tally in tallies), Counter[int]()).items())),
        "refused_writes_looked_after": sum(len(tally.refused) for tally in tallies),
        "findings": len(findings),
        "found": sorted(kinds.values()),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", action="store_true", help="write the report into bench/results")
    wanted = parser.parse_args()
    result = asyncio.run(run(wanted.cases, wanted.seed))
    print(json.dumps(result, indent=1, ensure_ascii=False))
    if wanted.keep:
        RESULT.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    sys.exit(bool(result["findings"]))


if __name__ == "__main__":
    main()
