"""What an operator sees while a campaign runs: where it stands, every few seconds, on the terminal."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from faults.chaos import Agent
from faults.ledger import Ledger

EVERY = 5.0


@dataclass(slots=True)
class Progress:
    """How far filings and faults are."""

    filings: int
    faults: int
    ledger: Ledger
    agent: Agent
    closed: int = 0

    def line(self) -> str:
        wanted = max(self.filings, self.closed)
        now = f" (now: {', '.join(self.agent.under_way)})" if self.agent.under_way else ""
        wrong = f", {len(self.agent.lost)} that did not come back" if self.agent.lost else ""
        stall = max(self.ledger.longest_stall, self.ledger.still_for)
        return (
            f"{self.closed} of {wanted} filings closed, {len(self.agent.recoveries)} of {self.faults} faults{now}, "
            f"{self.ledger.moves} acts, longest stall {stall:.1f} s{wrong}"
        )


@asynccontextmanager
async def told(progress: Progress) -> AsyncIterator[None]:
    """Beside the block, a line every few seconds."""
    telling = asyncio.create_task(_tell(progress))
    try:
        yield
    finally:
        telling.cancel()
        say(progress.line())


async def _tell(progress: Progress) -> None:
    while True:
        await asyncio.sleep(EVERY)
        say(progress.line())


def say(line: str) -> None:
    """At once, whoever reads it; beside the report, which alone is the output."""
    print(f"{time.strftime('%H:%M:%S')}  {line}", file=sys.stderr, flush=True)
