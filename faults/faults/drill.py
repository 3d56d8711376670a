"""`make drill`: a house is backed up while it works, lost, restored and started again; then the ledger is reconciled.

What was answered before the backup began must be there and come to its end. What came after it is lost, and nothing
else: that is what a backup promises.
"""

import asyncio
import json
import os
import shutil
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from faults import campaign, reconciling, work
from faults.ledger import JSON, Ledger
from faults.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
COPY = ROOT / ".run" / "drill-backup"
RUNNER = (sys.executable, "-m", "tools.runner")
PLACE = ("--instance", "drill", "--base", "22600")
KEPT, LOST = 8, 3


async def drill() -> JSON:
    """Work, back up, work on, lose everything, restore, work on, reconcile."""
    await tell_runner("clean")
    shutil.rmtree(COPY, ignore_errors=True)
    house = await begin()
    try:
        os.environ.update(json.loads(await tell_runner("environment", *PLACE[2:])))
        inside, took = Settings(), dict[str, float]()
        async with campaign.city(at=datetime.now(UTC)) as everybody:
            ledger, cases = Ledger(time.monotonic), set[str]()
            mother, *officers = campaign.persons(everybody, ledger)
            async with campaign.officers_at_work(officers, cases):
                for serial in range(KEPT):
                    filing = await work.file(mother, serial, "kept")
                    cases.update(case["case_id"] for case in filing["cases"])
                with stopwatch(took, "backup"):
                    await tell_runner("backup", str(COPY))
                stranger, *_ = campaign.persons(everybody, Ledger(time.monotonic))
                for serial in range(KEPT, KEPT + LOST):
                    await work.file(stranger, serial, "lost")
            await end(house)
            with stopwatch(took, "restore"):
                await tell_runner("restore", str(COPY))
            with stopwatch(took, "start"):
                house = await begin()
            async with campaign.officers_at_work(officers, cases):
                for act in ledger.answered("draft"):
                    await work.follow(mother, act.answer["filing_id"])
            async with reconciling.opened(inside) as held:
                await reconciling.rest(held, inside, time.monotonic)
                found = await reconciling.reconcile(ledger, mother, officers, inside, held)
    finally:
        await end(house)
    shutil.rmtree(COPY)
    return {
        "filings_before_the_backup": KEPT,
        "filings_after_it_and_lost": LOST,
        "seconds": took,
        "oracles": {name: problems or "holds" for name, problems in found.items()},
    }


@contextmanager
def stopwatch(took: dict[str, float], name: str) -> Iterator[None]:
    began = time.monotonic()
    yield
    took[name] = round(time.monotonic() - began, 1)


async def begin() -> Process:
    """Start the whole house with whatever data the instance holds; return when it is up."""
    house = await asyncio.create_subprocess_exec(*RUNNER, "run", "--no-demo", *PLACE, cwd=ROOT, stdout=PIPE)
    if house.stdout is None:
        raise RuntimeError("the runner has no voice")
    async for line in house.stdout:
        if line.startswith(b"The house is up"):
            return house
    raise RuntimeError(f"the house did not start: exit code {await house.wait()}")


async def end(house: Process) -> None:
    if house.returncode is None:
        house.terminate()
        await house.communicate()


async def tell_runner(*words: str) -> bytes:
    process = await asyncio.create_subprocess_exec(*RUNNER, *words, *PLACE[:2], cwd=ROOT, stdout=PIPE)
    said, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"{words[0]}: exit code {process.returncode}")
    return said


def main() -> None:
    result = asyncio.run(drill())
    print(json.dumps(result, indent=1))
    sys.exit(any(problems != "holds" for problems in result["oracles"].values()))


if __name__ == "__main__":
    main()
