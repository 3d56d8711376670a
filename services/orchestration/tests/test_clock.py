"""A process whose clock is off lets nothing happen: no term ends early, no call is put off."""

from datetime import UTC, datetime, timedelta

import pytest
from orchestration import jobs

MOST = timedelta(minutes=1)


@pytest.mark.parametrize("off", [timedelta(), timedelta(seconds=30), timedelta(hours=1), -timedelta(hours=1)])
async def test_a_job_runs_only_by_the_databases_clock(desk, monkeypatch, off):
    monkeypatch.setattr(jobs, "_POLL", 0)
    done = []

    async def job():
        done.append(True)

    steady = jobs.Steady(desk.app.store.database, lambda: datetime.now(UTC) + off, MOST)
    if abs(off) < MOST:
        await steady.run(job)
        assert done
        return
    with pytest.raises(jobs.ClockOff):
        await steady.run(job)
    assert not done


async def test_a_clock_that_was_set_right_lets_everything_go_on(desk, monkeypatch):
    monkeypatch.setattr(jobs, "_POLL", 0)
    off, done = timedelta(hours=1), []

    async def job():
        done.append(True)

    steady = jobs.Steady(desk.app.store.database, lambda: datetime.now(UTC) + off, MOST)
    with pytest.raises(jobs.ClockOff):
        await steady.run(job)
    off = timedelta()
    await steady.run(job)
    assert done
