"""Newborn filings per second: filed, seven cases decided, closed; and the CPU that each part spends on one.

    python -m bench        (it starts a house of its own, with rate limits out of the way)

Everything goes through the gateway and its permission checks with each person's own session; only thinking time is
zero. The client runs on the same cores, so the rate is a floor; the CPU per filing is the stable figure.
"""

import argparse
import asyncio
import json
import platform
import time
from datetime import UTC, datetime
from pathlib import Path

import psutil
from demo.browser import Browser
from demo.people import cast
from demo.settings import Settings

from demo import loader, newborn
from tools.runner.control import Control

RESULT = Path(__file__).parent / "results" / "newborn.json"
FILERS = 4


async def processor_seconds(control: Control) -> dict[str, float]:
    """CPU seconds that each part of the house, children included, has spent so far."""
    spent = {}
    for name, status in (await control.status()).items():
        if status.pid is not None:
            family = psutil.Process(status.pid)
            times = [each.cpu_times() for each in (family, *family.children(recursive=True))]
            spent[name] = sum(each.user + each.system for each in times)
    return spent


async def attend(officer: Browser) -> None:
    while True:
        for todo in await newborn.open_todos(officer):
            await newborn.handle(officer, todo, serial=1)
        await asyncio.sleep(0.05)


async def measure(filings: int) -> dict[str, object]:
    settings = Settings()
    control = Control.from_environment()
    await loader.load(settings, told=lambda *_: None)
    async with cast(settings) as people:
        await newborn.grant(people.father, at=datetime.now(UTC))
        gate = asyncio.Semaphore(FILERS)
        took: list[float] = []

        async def lifecycle(serial: int) -> None:
            async with gate:
                begun = time.perf_counter()
                filing_id = (await newborn.draft(people.mother, serial))["filing_id"]
                plan = await newborn.plan(people.mother, filing_id)
                await newborn.submit(people.mother, filing_id, plan["plan_digest"])
            while (await newborn.filing(people.mother, filing_id))["state"] != "closed":  # noqa: ASYNC110 a client polls
                await asyncio.sleep(0.25)
            took.append(time.perf_counter() - begun)

        async with asyncio.TaskGroup() as group:
            officers = [group.create_task(attend(officer)) for officer in people.officers.values()]
            await asyncio.gather(*(lifecycle(serial) for serial in range(FILERS)))  # connections and caches are warm
            took.clear()
            before, begun = await processor_seconds(control), time.perf_counter()
            await asyncio.gather(*(lifecycle(serial) for serial in range(100, 100 + filings)))
            seconds = time.perf_counter() - begun
            after = await processor_seconds(control)
            for task in officers:
                task.cancel()
    parts = {name: round(1000 * (after[name] - before[name]) / filings, 1) for name in after if name in before}
    took.sort()
    return {
        "filings": filings,
        "filings_per_second": round(filings / seconds, 2),
        "lifecycle_seconds": {"p50": round(took[len(took) // 2], 2), "max": round(took[-1], 2)},
        "cpu_ms_per_filing": parts | {"all": round(sum(parts.values()), 1)},
        "machine": f"{psutil.cpu_count()} cores, Python {platform.python_version()}",
        "command": f"python -m bench.newborn --filings {filings}",
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--filings", type=int, default=40)
    result = asyncio.run(measure(parser.parse_args().filings))
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
