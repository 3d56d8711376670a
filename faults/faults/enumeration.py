"""Every named point at which a service may die, one after the other, while filings go on.

python -m faults.enumeration        (beside a house that is up)

The points are not a list that somebody has to keep: services note which ones they pass while filings go through the
house undisturbed. Then each of them dies once at each of its own.
"""

import json
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from demo.people import Cast

from faults import campaign
from faults.armed import Armed
from faults.ledger import JSON
from faults.progress import say
from faults.settings import Settings
from faults.stories import STORIES
from tools.runner.control import Control
from tools.runner.leaving import finish

SERVICES = ["accounts", "verification", "orchestration", "workbench", "gateway", "department"]
UNDISTURBED = 3
AT_ONCE = 6
WITHIN = 3600.0
# what happens once in a life, or once in minutes by the clock, would be waited for in vain
ONCE = ("relay.check", "seal_journal", "forget_")

type Points = dict[str, list[str]]


async def noted(everybody: Cast) -> Points:
    """The points that filings pass, by service."""
    inside = Settings()
    armed = Armed(inside.tongban_instance_dir)
    with tempfile.TemporaryDirectory() as told:
        folder = Path(told)
        try:
            async with armed.noting(Control(inside.tongban_control), SERVICES, folder):
                undisturbed = campaign.Wanted(UNDISTURBED, at_once=1, stories=STORIES)
                await campaign.run(undisturbed, everybody, at=datetime.now(UTC))
        finally:
            await armed.close()
        return {service: _read(folder / service) for service in SERVICES}


def _read(notes: Path) -> list[str]:
    lines = notes.read_text().splitlines() if notes.exists() else []
    return sorted(line for line in lines if not any(once in line for once in ONCE))


async def run(everybody: Cast, *, within: float = WITHIN) -> JSON:
    """Note the points, die at each, reconcile."""
    say("which points do the services pass?")
    points = await noted(everybody)
    say(", ".join(f"{service}: {len(found)}" for service, found in points.items()))
    wanted = campaign.Wanted(1, within=within, at_once=AT_ONCE, until_broken=True, points=points, stories=STORIES)
    result = await campaign.run(wanted, everybody, at=datetime.now(UTC))
    return {**result.as_json(), "points": points}


async def alone() -> int:
    async with campaign.city(at=datetime.now(UTC)) as everybody:
        result = await run(everybody)
    print(json.dumps(result, indent=1, ensure_ascii=False))
    return any(found != "holds" for found in result["oracles"].values())


def main() -> None:
    finish(alone())


if __name__ == "__main__":
    main()
