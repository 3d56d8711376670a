"""`make outages`: each dependency is away for a while under load. What do people see, and does all come to its end?

python -m faults.outages --seconds 60        (beside a house that is up)
"""

import argparse
import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import httpx
from demo.browser import Browser, CallRefused, LogInFailed
from demo.people import Cast, credentials
from demo.settings import Settings

from demo import newborn
from faults import behind, campaign, chaos, enumeration
from faults.chaos import Fault, Kind
from faults.ledger import JSON
from faults.progress import say
from tools.runner.leaving import finish

RESULT = Path(__file__).resolve().parents[2] / "bench" / "results" / "outages.json"
FILINGS = 4
# an outage begins when the work is well under way
BEGINS = campaign.ACTS * FILINGS // 3
FACTS = 50_000
MANY = f"{behind.AWAY} away, many facts pass"
EVERY = 1.0
LONGEST_LOOK = 5.0
# what a server stands on is another than it was
STRANGE = [
    ("nats", Kind.WIPE, ""),
    ("nats", Kind.OLDER, ""),
    ("nats", Kind.FULL, ""),
    ("postgres", Kind.FULL, ""),
    *((name, Kind.CLOCK, off) for name in enumeration.SERVICES for off in ("+1h", "-1h")),
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
    # an earlier outage may have ended his log-in; the others' are looked after by the patient ones
    with suppress(httpx.TransportError, LogInFailed):
        await people.father.log_in(credentials(settings, "zhangwei"))
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


async def every_outage(seconds: float, only: str = "") -> int:
    """One after the other; the report is there after each. The exit code says whether every oracle held in each."""
    outages = [(victim, Kind.AWAY, "") for victim in chaos.VICTIMS] + STRANGE
    named = {" ".join(filter(None, each)): each for each in outages}
    wanted = {name: each for name, each in named.items() if only in name}
    began, found = time.monotonic(), JSON()

    async def keep(name: str, told: JSON) -> None:
        found[name] = told
        say(f"{name}: {told['oracles']}")
        report = {"seconds": seconds, "seconds_in_all": round(time.monotonic() - began), "outages": found}
        text = json.dumps(report, indent=1, ensure_ascii=False) + "\n"
        # a part of them is to be looked at, not to be kept
        await asyncio.to_thread(sys.stdout.write if only else RESULT.write_text, text)

    async with campaign.city(at=datetime.now(UTC)) as everybody:
        for place, (name, (victim, kind, point)) in enumerate(wanted.items(), 1):
            say(f"outage {place} of {len(wanted)}: {name}, for {seconds:g} s")
            await keep(name, await outage(everybody, victim, kind, seconds, point))
        if only in MANY:
            say(f"last: {MANY}")
            await keep(MANY, await behind.behind(everybody, FACTS))
    broken = [name for name, told in found.items() if told["oracles"] != "all hold"]
    say(f"{time.monotonic() - began:.0f} s; " + (f"NOT held: {', '.join(broken)}" if broken else "every oracle holds"))
    return bool(broken)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--only", default="", help="those whose name has these letters, such as clock")
    told = parser.parse_args()
    finish(every_outage(told.seconds, told.only))


if __name__ == "__main__":
    main()
