"""Newborn filings per second: filed, seven cases decided, closed; and the CPU that each part spends on one.

    python -m bench        (it starts a house of its own, with rate limits out of the way)

Everything goes through the gateway and its permission checks with each person's own session; only thinking time is
zero. First with an almost empty database, then with `--seeded` filings of years gone by in it. The client runs on the
same cores, so the rate is a floor; the CPU per filing is the stable figure.
"""

import argparse
import asyncio
import time
from datetime import UTC, datetime

from demo.browser import Browser
from demo.people import Cast, cast
from demo.settings import Settings

from bench import meter
from bench.seed import databases, seed
from demo import loader, newborn
from tools.runner.control import Control

FILERS = 4


async def attend(officer: Browser) -> None:
    while True:
        for todo in await newborn.open_todos(officer):
            await newborn.handle(officer, todo, serial=1)
        await asyncio.sleep(0.05)


class Story:
    """Filings from draft to close, while officers work through their lists."""

    def __init__(self, people: Cast, control: Control) -> None:
        self.people = people
        self.control = control
        self.took: list[float] = []
        self.last = ""
        self._gate = asyncio.Semaphore(FILERS)

    async def lifecycle(self, serial: int) -> None:
        mother = self.people.mother
        async with self._gate:
            begun = time.perf_counter()
            filing_id = (await newborn.draft(mother, serial))["filing_id"]
            plan = await newborn.plan(mother, filing_id)
            await newborn.submit(mother, filing_id, plan["plan_digest"])
            while (await newborn.filing(mother, filing_id))["state"] != "closed":
                await asyncio.sleep(0.25)
            self.took.append(time.perf_counter() - begun)
            self.last = filing_id

    async def several(self, serials: range) -> dict[str, object]:
        await asyncio.gather(*(self.lifecycle(serial) for serial in range(FILERS)))  # connections and caches are warm
        self.took.clear()
        before, begun = await meter.by_part(self.control), time.perf_counter()
        await asyncio.gather(*(self.lifecycle(serial) for serial in serials))
        seconds = time.perf_counter() - begun
        cpu = meter.difference(before, await meter.by_part(self.control), len(serials))
        return {
            "filings_per_second": round(len(serials) / seconds, 2),
            **meter.percentiles(self.took),
            "cpu_ms_per_filing": {name: round(each, 1) for name, each in cpu.items()},
        }


async def measure(filings: int, seeded: int) -> dict[str, object]:
    settings = Settings()
    await loader.load(settings, told=lambda *_: None)
    async with cast(settings) as people, asyncio.TaskGroup() as group:
        await newborn.grant(people.father, at=datetime.now(UTC))
        story = Story(people, Control.from_environment())
        officers = [group.create_task(attend(officer)) for officer in people.officers.values()]
        result: dict[str, object] = {"filings": filings, "empty": await story.several(range(100, 100 + filings))}
        if seeded:
            took = await seed(story.last, seeded, **databases())
            print(f"{seeded} filings seeded in {took:.0f} s", flush=True)
            result["seeded"] = await story.several(range(10_000, 10_000 + filings)) | {
                "filings_before": seeded,
                "seed_seconds": round(took),
            }
            ratios = {
                name: round(result["seeded"][name] / result["empty"][name] - 1, 3) for name in ("filings_per_second",)
            }
            cpu = [result[each]["cpu_ms_per_filing"]["all"] for each in ("seeded", "empty")]
            result["change"] = ratios | {"cpu": round(cpu[0] / cpu[1] - 1, 3)}
        for task in officers:
            task.cancel()
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--filings", type=int, default=40)
    parser.add_argument("--seeded", type=int, default=100_000)
    arguments = parser.parse_args()
    machine = meter.machine()
    result = asyncio.run(measure(arguments.filings, arguments.seeded))
    command = f"python -m bench.newborn --filings {arguments.filings} --seeded {arguments.seeded}"
    meter.write("newborn", {**result, "machine": machine, "command": command})


if __name__ == "__main__":
    main()
