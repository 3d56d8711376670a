"""The clock door: calls that are due, and the watch over filings that nothing moves."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from common import telemetry
from common.auth import system
from common.db import Database
from prometheus_client import Gauge

from orchestration import usecases
from orchestration.store.clock import clock_off
from orchestration.usecases import App

_POLL = 1.0  # seconds: how late a call can be when nobody wakes us
_LOOK = 5.0  # seconds between two looks at the clock

MOTIONLESS = Gauge("orchestration_motionless_filings", "Open filings that nothing will move; must be 0.")
INCIDENTS = Gauge("orchestration_incidents", "Calls that were given up and wait for people.")


class ClockOff(Exception):
    """Our clock is not the database's."""


class Steady:
    """Lets a job run only by a clock that is the database's too.

    A term that ended an hour early is not undone, and what a fast clock puts off waits until the right one is there.
    """

    def __init__(self, database: Database, clock: Callable[[], datetime], most: timedelta) -> None:
        self._database = database
        self._clock = clock
        self._most = most
        self._look_at = 0.0

    async def run(self, job: Callable[[], Awaitable[None]]) -> None:
        """Run the job, or say by how much the clock is off."""
        if time.monotonic() >= self._look_at:
            off = await clock_off(self._database, self._clock)
            if abs(off) > self._most:
                await asyncio.sleep(_POLL)  # a job that is always ready would say it without end
                raise ClockOff(round(off.total_seconds()))
            self._look_at = time.monotonic() + _LOOK
        await job()


async def run_calls(app: App) -> None:
    """Wait for a commit that left calls, or a moment, and make those that are due."""
    try:
        async with asyncio.timeout(_POLL):
            await app.calls_due.wait()
    except TimeoutError:
        pass
    app.calls_due.clear()
    while await usecases.run_calls(
        app.store, app.outside, system("orchestration", route="run_calls"), chance=app.chance
    ):
        pass


async def forget_changes(app: App) -> None:
    """Drop changes of licences that nothing stands on any more."""
    async with app.store.begin(system("orchestration", route="forget_changes")) as tx:
        await usecases.forget_changes(tx)


async def run_app_calls(app: App, bulkheads: usecases.Bulkheads) -> None:
    """Give cases to departments' own systems; those that take long are not waited for."""
    await usecases.run_app_calls(app, system("orchestration", route="run_app_calls"), bulkheads)


async def forget_nonces(app: App) -> None:
    """Drop nonces that were used long ago."""
    async with app.store.begin(system("orchestration", route="forget_nonces")) as tx:
        await usecases.forget_nonces(tx)


async def sweep_timers(app: App) -> None:
    """Let happen what is due by now, batch after batch."""
    while await usecases.sweep_timers(app.store, system("orchestration", route="sweep_timers"), app.calendar):
        pass


async def sweep_proposals(app: App) -> None:
    """Let go of proposals that nobody confirmed in time, batch after batch."""
    while await usecases.sweep_proposals(app.store, system("orchestration", route="sweep_proposals")):
        pass


async def archive_filings(app: App) -> None:
    """Put filings to rest whose time has come, batch after batch."""
    while await usecases.archive_filings(app.store, system("orchestration", route="archive_filings")):
        pass


async def watch(app: App) -> None:
    """Measure what must be nothing, and say so when it is not."""
    async with app.store.begin(system("orchestration", route="watch")) as tx:
        motionless = await usecases.list_motionless(tx)
        incidents = await usecases.list_incidents(tx)
    MOTIONLESS.set(len(motionless))
    INCIDENTS.set(len(incidents))
    for filing in motionless:
        telemetry.log.error("orchestration.motionless", filing_id=filing.filing_id)
