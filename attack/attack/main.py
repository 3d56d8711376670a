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

from attack import callers, chains, telling, traces
from attack.calls import Calls, acquainted
from attack.facts import Liar
from attack.fuzz import Finding, Fuzz, Tally
from attack.roles import roles
from attack.scan import Needles
from attack.settings import Settings
from demo import loader

ROOT = Path(__file__).resolve().parents[2]
RESULT = ROOT / "bench" / "results" / "attack.json"
# of one operation in one go: what answers tell then leads the next round
EACH, NASTY = 6, 20
# of one gRPC call, and of one kind of fact
DRAWN = 10
FACTS_WITHIN = 120.0


async def run(wanted: int, seed: int) -> dict[str, Any]:
    """Half of the cases one by one, half in chains; then every gRPC call, and facts that never were."""
    settings, public_url = Settings(), DemoSettings().public_url
    began = time.monotonic()
    await loader.load(DemoSettings(), told=lambda *_: None)
    needles = Needles.of(settings)
    async with httpx.AsyncClient(trust_env=False, base_url=public_url) as http:
        document = (await http.get("/openapi.json")).json()
    async with traces.opened(settings) as databases, roles() as everybody:
        processes = await traces.began(settings.ports)
        # calls first: their tokens are given once and live for minutes
        calls = await _call(settings, databases, seed)
        tallies: list[Tally] = []
        while sum(tally.asked for tally in tallies) < wanted // 2:
            fuzz = Fuzz(document, public_url, seed + len(tallies), needles=needles)
            for role in everybody:
                await fuzz.ask_all(role, each=EACH, nasty=NASTY)
                _say(role.name, fuzz.tally)
            await fuzz.no_traces(databases)
            tallies.append(fuzz.tally)
        chained = Fuzz(document, public_url, seed, needles=needles)
        for role in everybody:
            await chains.follow(chained, role, document, calls=wanted // 2 // len(everybody), seed=seed)
            _say(f"{role.name}, in chains", chained.tally)
        await chained.no_traces(databases)
        outcome = await _tell(settings, databases, seed)
        restarted = [name for name, at in (await traces.began(settings.ports)).items() if processes[name] != at]
    one_by_one = told(tallies, len(fuzz.operations))
    parts = {"chains": told([chained.tally], len(fuzz.operations)), "calls": calls, "facts": outcome}
    return {
        "seed": seed,
        "seconds": round(time.monotonic() - began, 1),
        **one_by_one,
        **parts,
        "findings": one_by_one["findings"] + sum(part["findings"] for part in parts.values()) + len(restarted),
        "restarted": restarted,
    }


async def _call(settings: Settings, databases: traces.Databases, seed: int) -> dict[str, Any]:
    calls = Calls(settings.grpc, acquainted(seed), seed)
    try:
        for caller in await callers.everybody(settings):
            await calls.ask_all(caller, each=DRAWN, nasty=DRAWN, huge=caller.name in callers.LARGE)
            _say(caller.name, calls.tally)
    finally:
        await calls.close()
    left = await traces.left_by(databases, calls.tally.refused)
    calls.tally.findings += [Finding("-", "-", f"a refused call had an effect: {each}", "") for each in left]
    return told([calls.tally], len(calls.methods)) | {"by_status": dict(sorted(calls.codes.items()))}


async def _tell(settings: Settings, databases: traces.Databases, seed: int) -> dict[str, Any]:
    liar = Liar(seed)
    made = [fact for kind in liar.kinds for fact in liar.facts(kind, drawn=DRAWN, nasty=DRAWN // 2)]
    outcome = await telling.tell(databases, settings, made, within=FACTS_WITHIN)
    await telling.forget(databases)
    return {
        "kinds": len(liar.kinds),
        "told": outcome.told,
        "put_aside": dict(outcome.ends),
        "findings": len(outcome.findings),
        "found": outcome.findings[:50],
    }


def _say(who: str, tally: Tally) -> None:
    print(f"{who}: {tally.asked} asked, {len(tally.findings)} found", file=sys.stderr)


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
