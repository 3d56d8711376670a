"""`make outages`: each dependency is away for a while under load. What do people see, and does all come to its end?

python -m faults.outages --seconds 60        (beside a house that is up)
"""

import argparse
import asyncio
import json
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import httpx
from demo.browser import Browser, CallRefused, LogInFailed
from demo.people import Cast, credentials
from demo.settings import Settings

from demo import newborn
from faults import behind, campaign, chaos
from faults.chaos import Fault, Kind
from faults.ledger import JSON

RESULT = Path(__file__).resolve().parents[2] / "bench" / "results" / "outages.json"
FILINGS = 4
# an outage begins when the work is well under way
BEGINS = campaign.ACTS * FILINGS // 3
FACTS = 50_000
EVERY = 1.0
LONGEST_LOOK = 5.0
# what a server stands on is another than it was
STRANGE = [
    ("nats", Kind.WIPE, ""),
    ("nats", Kind.OLDER, ""),
    ("nats", Kind.FULL, ""),
    ("postgres", Kind.FULL, ""),
    ("orchestration", Kind.CLOCK, "+1h"),
    ("orchestration", Kind.CLOCK, "-1h"),
]


async def outage(everybody: Cast, victim: str, kind: Kind, seconds: float, point: str = "") -> JSON:
    """One outage: what each kind of call was answered meanwhile, and what the oracles found."""
    wanted = campaign.Wanted(FILINGS, [Fault(BEGINS, victim, kind, seconds, point)], within=300 + seconds)
    seen: dict[str, Counter[str]] = {}
    looking = asyncio.create_task(look(everybody, seen))
    result = await campaign.run(wanted, everybody, at=datetime.now(UTC))
    looking.cancel()
    return {
        "away_seconds": round(result.recoveries[0].seconds, 1),
        "longest_stall_seconds": round(result.longest_stall, 1),
        "seconds_until_rest": round(result.rest_seconds, 1),
        "seen": {name: dict(answers.most_common()) for name, answers in seen.items()},
        "oracles": {name: found for name, found in result.problems.items() if found} or "all hold",
    }


async def look(people: Cast, seen: dict[str, Counter[str]]) -> None:
    """Impatient people beside the patient ones: each asks once a second and notes what is answered."""
    settings, officer, serial = Settings(), people.officers["police"], 0
    while True:
        serial += 1
        asked: dict[str, Callable[[], Awaitable[object]]] = {
            "read one's filings": partial(people.mother.get, "orchestration/v1/filings"),
            "draft a filing": partial(newborn.draft, people.father, serial),
            "read the todo list": partial(newborn.open_todos, officer),
            "read one's licences": partial(people.mother.get, "verification/v1/me/licences"),
            "who am I": partial(people.mother.get, "accounts/v1/me"),
            "log in": partial(log_in, settings),
        }
        answers = await asyncio.gather(*(answer(call) for call in asked.values()))
        for name, told in zip(asked, answers, strict=True):
            seen.setdefault(name, Counter())[told] += 1
        await asyncio.sleep(EVERY)


async def log_in(settings: Settings) -> None:
    async with Browser(settings.public_url, "citizen", timeout=LONGEST_LOOK) as browser:
        await browser.log_in(credentials(settings, "wangfang"))


async def answer(call: Callable[[], Awaitable[object]]) -> str:
    try:
        async with asyncio.timeout(LONGEST_LOOK):
            await call()
    except TimeoutError:
        return f"nothing within {LONGEST_LOOK:g} s"
    except CallRefused as refused:
        return f"{refused.status} {refused.reason}"
    except (httpx.TransportError, LogInFailed) as error:
        return type(error).__name__
    return "ok"


async def every_outage(seconds: float) -> bool:
    """One after the other; the report is there after each. True if every oracle held in each."""
    outages = [(victim, Kind.AWAY, "") for victim in chaos.VICTIMS] + STRANGE
    found: JSON = {}

    async def keep() -> None:
        report = {"seconds": seconds, "outages": found}
        await asyncio.to_thread(RESULT.write_text, json.dumps(report, indent=1, ensure_ascii=False) + "\n")

    async with campaign.city(at=datetime.now(UTC)) as everybody:
        for victim, kind, point in outages:
            name = " ".join(filter(None, (victim, kind, point)))
            found[name] = await outage(everybody, victim, kind, seconds, point)
            await keep()
        found[f"{behind.AWAY} away, many facts pass"] = await behind.behind(everybody, FACTS)
        await keep()
    return all(each["oracles"] == "all hold" for each in found.values())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    sound = asyncio.run(every_outage(parser.parse_args().seconds))
    print(RESULT.read_text())
    sys.exit(not sound)


if __name__ == "__main__":
    main()
