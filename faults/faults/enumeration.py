"""Every named point at which a service may die, one after the other, while filings go on.

python -m faults.enumeration        (beside a house that is up)

The points are not a list that somebody has to keep: services note which ones they pass while filings go through the
house undisturbed. Then each of them dies once at each of its own.
"""

import asyncio
import json
import sys
import tempfile
from datetime import UTC, datetime
from itertools import zip_longest
from pathlib import Path

from demo.people import Cast

from faults import campaign
from faults.armed import Armed
from faults.chaos import Fault, Kind
from faults.ledger import JSON
from faults.settings import Settings
from tools.runner.control import Control

SERVICES = ["accounts", "verification", "orchestration", "workbench"]
UNDISTURBED = 2
AT_ONCE = 4
# people begin, whoever dies: what happens once in the house's life is not a point of a filing's way
ONCE = ("relay.check",)

type Points = dict[str, list[str]]


async def noted(everybody: Cast) -> Points:
    """The points that filings pass, by service."""
    inside = Settings()
    armed = Armed(inside.tongban_instance_dir)
    with tempfile.TemporaryDirectory() as told:
        folder = Path(told)
        try:
            async with armed.noting(Control(inside.tongban_control), SERVICES, folder):
                await campaign.run(campaign.Wanted(UNDISTURBED), everybody, at=datetime.now(UTC))
        finally:
            await armed.close()
        return {service: _read(folder / service) for service in SERVICES}


def _read(notes: Path) -> list[str]:
    lines = notes.read_text().splitlines() if notes.exists() else []
    return sorted(line for line in lines if not any(once in line for once in ONCE))


def wanted(points: Points, *, within: float = 3600.0) -> campaign.Wanted:
    """A campaign that goes on until each service has died at each of its points; services take turns."""
    turns = zip_longest(*([(service, point) for point in found] for service, found in points.items()))
    order = [each for turn in turns for each in turn if each is not None]
    plan = [Fault(2 * place, service, Kind.CRASH, point=point) for place, (service, point) in enumerate(order, 1)]
    return campaign.Wanted(1, plan, within=within, at_once=AT_ONCE, until_broken=True)


async def run(everybody: Cast) -> JSON:
    """Note the points, die at each, reconcile."""
    points = await noted(everybody)
    result = await campaign.run(wanted(points), everybody, at=datetime.now(UTC))
    return {**result.as_json(), "points": points}


async def alone() -> JSON:
    async with campaign.city(at=datetime.now(UTC)) as everybody:
        return await run(everybody)


def main() -> None:
    result = asyncio.run(alone())
    print(json.dumps(result, indent=1, ensure_ascii=False))
    sys.exit(any(found != "holds" for found in result["oracles"].values()))


if __name__ == "__main__":
    main()
