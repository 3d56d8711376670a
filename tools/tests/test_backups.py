"""Backups from outside: what stood in the databases at that moment stands there again, and nothing that came later."""

import asyncio
import json
import signal

import asyncpg

from tools.runner.ports import OFFSETS
from tools.tests.conftest import Runner

OWNERS = ("accounts", "workbench")


def call(runner: Runner, *words: str):
    return runner.call(*words, "--instance", "trial")


async def opened(runner: Runner, owner: str):
    secrets = json.loads((runner.run_dir / "trial" / "secrets.json").read_text())
    place = f"127.0.0.1:{runner.base + OFFSETS['postgres']}/{owner}"
    return await asyncpg.connect(f"postgresql://{owner}:{secrets[f'{owner}_database_password']}@{place}")


async def words(runner: Runner, *, add: str = "") -> list[list[str]]:
    found = []
    for owner in OWNERS:
        connection = await opened(runner, owner)
        await connection.execute("create table if not exists kept (word text)")
        if add:
            await connection.execute("insert into kept values ($1)", add)
        found.append([row["word"] for row in await connection.fetch("select word from kept order by word")])
        await connection.close()
    return found


async def test_what_was_backed_up_is_restored(runner: Runner) -> None:
    house = runner.begin_small_house()
    await words(runner, add="before")
    target = runner.run_dir / "kept"
    done = await asyncio.to_thread(call, runner, "backup", str(target))
    assert done.returncode == 0, done.stderr
    assert target.stat().st_mode & 0o077 == 0
    assert (target / "secrets.json").stat().st_mode & 0o077 == 0
    assert await words(runner, add="later") == [["before", "later"]] * 2
    again = await asyncio.to_thread(call, runner, "backup", str(target))
    assert (again.returncode, "new folder" in again.stderr) == (1, True)
    too_early = await asyncio.to_thread(call, runner, "restore", str(target))
    assert (too_early.returncode, "already running" in too_early.stderr) == (1, True)

    house.send_signal(signal.SIGTERM)
    await asyncio.to_thread(house.wait, 30)
    down = await asyncio.to_thread(call, runner, "backup", str(runner.run_dir / "other"))
    assert (down.returncode, "not running" in down.stderr) == (1, True)
    done = await asyncio.to_thread(call, runner, "restore", str(target))
    assert done.returncode == 0, done.stderr
    runner.begin_small_house()
    assert await words(runner) == [["before"]] * 2


async def test_a_backup_that_is_not_whole_is_refused(runner: Runner) -> None:
    house = runner.begin_small_house()
    target = runner.run_dir / "kept"
    assert (await asyncio.to_thread(call, runner, "backup", str(target))).returncode == 0
    house.send_signal(signal.SIGTERM)
    await asyncio.to_thread(house.wait, 30)
    (target / "postgres" / "PG_VERSION").unlink()
    done = await asyncio.to_thread(call, runner, "restore", str(target))
    assert (done.returncode, "pg_verifybackup failed" in done.stderr) == (1, True)
    # and what the instance held is still there
    assert (runner.run_dir / "trial" / "data" / "postgres" / "PG_VERSION").exists()
