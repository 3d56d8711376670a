"""`python -m faults.main --filings 200 --faults 40 --seed 1`, beside a house that is up with an empty database."""

import argparse
import asyncio
import json
import sys
from datetime import UTC, datetime
from pathlib import Path

from faults import campaign, enumeration, report
from faults.ledger import JSON

ROOT = Path(__file__).resolve().parents[2]
RESULT = ROOT / "bench" / "results" / "faults.json"
PAGE = ROOT / "docs" / "faults.md"


async def run(wanted: campaign.Wanted) -> JSON:
    now = datetime.now(UTC)
    async with campaign.city(at=now) as everybody:
        result = (await campaign.run(wanted, everybody, at=now)).as_json()
        return {**result, "crash_points": await enumeration.run(everybody)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--filings", type=int, default=200)
    parser.add_argument("--faults", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", action="store_true", help="write the report into bench/results and docs")
    told = parser.parse_args()
    wanted = campaign.at_random(told.filings, told.faults, told.seed)
    result = asyncio.run(run(wanted))
    print(json.dumps(result, indent=1, ensure_ascii=False))
    if told.keep:
        RESULT.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n")
        PAGE.write_text(report.page(result))
    both = (result, result["crash_points"])
    sys.exit(any(found != "holds" for each in both for found in each["oracles"].values()))


if __name__ == "__main__":
    main()
