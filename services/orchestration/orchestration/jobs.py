"""The clock door: calls that are due, and the watch over filings that nothing moves."""

import asyncio

from common import telemetry
from common.auth import system
from prometheus_client import Gauge

from orchestration import usecases
from orchestration.usecases import App

_POLL = 1.0  # seconds: how late a call can be when nobody wakes us

MOTIONLESS = Gauge("orchestration_motionless_filings", "Open filings that nothing will move; must be 0.")
INCIDENTS = Gauge("orchestration_incidents", "Calls that were given up and wait for people.")


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
