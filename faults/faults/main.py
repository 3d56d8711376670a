"""`python -m faults.main --filings 200 --faults 40 --seed 1`, beside a house that is up with an empty database."""

import argparse
import json
import os
import time
from datetime import UTC, datetime
from pathlib import Path

from faults import campaign, enumeration, report
from faults.ledger import JSON
from faults.progress import say
from tools.runner.leaving import finish

ROOT = Path(__file__).resolve().parents[2]
RESULT = ROOT / "bench" / "results" / "faults.json"
PAGE = ROOT / "docs" / "faults.md"
# an hour is the longest that either half may take; what is not done by then is told as a fault of its own
WITHIN = 3600.0


async def run(wanted: campaign.Wanted, *, keep: bool) -> JSON:
    now = datetime.now(UTC)
    async with campaign.city(at=now) as everybody:
        say(f"{wanted.filings} filings, {wanted.faults} faults at random, seed {wanted.seed}")
        result = _beside((await campaign.run(wanted, everybody, at=now)).as_json())
        if keep and RESULT.exists():
            # whoever ends the command in its second half keeps the first, beside the crash points as they were
            write({**result, "crash_points": json.loads(RESULT.read_text())["crash_points"]})
        return {**result, "crash_points": await enumeration.run(everybody, within=wanted.within)}


async def whole(wanted: campaign.Wanted, *, keep: bool) -> int:
    """Break, die at each point, report. The exit code says whether every oracle held."""
    began = time.monotonic()
    result = await run(wanted, keep=keep)
    result["seconds_in_all"] = round(time.monotonic() - began)
    if keep:
        write(result)
        say(f"written: {RESULT.relative_to(ROOT)} and {PAGE.relative_to(ROOT)}")
    else:
        print(json.dumps(result, indent=1, ensure_ascii=False))
    halves = (result, result["crash_points"])
    broken = [name for half in halves for name, found in half["oracles"].items() if found != "holds"]
    say(f"{result['seconds_in_all']} s; " + (f"NOT held: {', '.join(broken)}" if broken else "every oracle holds"))
    return bool(broken)


def write(result: JSON) -> None:
    """Keep a report."""
    RESULT.write_text(f"{json.dumps(result, indent=1, ensure_ascii=False)}\n")
    PAGE.write_text(report.page(result))


def _beside(result: JSON) -> JSON:
    """Say what else the machine did meanwhile."""
    return {**result, "load": round(os.getloadavg()[2], 1), "cores": os.cpu_count()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--filings", type=int, default=200)
    parser.add_argument("--faults", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--within", type=float, default=WITHIN, help="seconds that either half may take")
    parser.add_argument("--keep", action="store_true", help="write the report into bench/results and docs")
    told = parser.parse_args()
    wanted = campaign.at_random(told.filings, told.faults, told.seed, within=told.within)
    finish(whole(wanted, keep=told.keep))


if __name__ == "__main__":
    main()
