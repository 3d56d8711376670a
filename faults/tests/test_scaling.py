"""Every service twice, and then once again, while filings are under way: nothing is done twice."""

import asyncio
import os
import signal
import sys
from contextlib import asynccontextmanager

import pytest
from faults.chaos import Fault, Kind
from faults.settings import Settings

from faults import campaign
from tools.runner.forking import Nursery
from tools.runner.processes import signal_group, spawn

SERVICES = ("accounts", "verification", "orchestration", "workbench")
FILINGS = 5
LEAVES_WITHIN = 40


@asynccontextmanager
async def twice():
    """A second process of each service, on doors that nobody knows: relay, consumers and jobs are shared."""
    home = Settings().tongban_instance_dir / "logs"
    nursery = Nursery(home / "seconds.log")
    seconds = [
        await spawn(
            (sys.executable, "-m", f"{name}.main"),
            {**os.environ, f"{name.upper()}_HTTP_PORT": "0", f"{name.upper()}_GRPC_PORT": "0"},
            home / f"{name}.log",
            nursery,
        )
        for name in SERVICES
    ]
    try:
        yield seconds
    finally:
        for each in seconds:
            signal_group(each.pid, signal.SIGTERM)
        async with asyncio.timeout(LEAVES_WITHIN):
            codes = [await each.wait() for each in seconds]
        await nursery.stop()
    assert codes == [0] * len(SERVICES)


@pytest.mark.timeout(200)
async def test_services_come_and_go_and_nothing_is_done_twice(worked):
    async with twice():
        # one of the two dies: the other goes on with what it held
        plan = [Fault(campaign.ACTS * place, name, Kind.KILL) for place, name in enumerate(SERVICES[1:], 1)]
        result = await worked(campaign.Wanted(FILINGS, plan, within=150))
    assert {oracle: found for oracle, found in result.problems.items() if found} == {}
    alone = await worked(campaign.Wanted(1, within=60))
    assert {oracle: found for oracle, found in alone.problems.items() if found} == {}
