"""The runner from outside: servers really start, come back when killed, and leave nothing behind."""

import asyncio
import json
import os
import signal
import socket
from dataclasses import replace

import asyncpg
import psutil
import pytest

from tools.runner.control import ControlRefused
from tools.runner.ports import OFFSETS
from tools.tests.conftest import Runner, left_by

USE_THE_SERVERS = """
import asyncio, os, asyncpg, nats, redis.asyncio

async def main():
    url = os.environ["WORKBENCH_DATABASE_URL"].replace("+asyncpg", "")
    database = await asyncpg.connect(url)
    print(await database.fetchval("SELECT current_user || ' ' || current_setting('server_version_num')"))
    await database.execute("CREATE TABLE kept (word text)")
    await database.close()
    try:
        await asyncpg.connect(url.removesuffix("/workbench") + "/accounts")
    except asyncpg.InsufficientPrivilegeError:
        print("kept out of the neighbour's database")
    bus = await nats.connect(os.environ["WORKBENCH_NATS_URL"])
    stream = await bus.jetstream().add_stream(name="EVT_WORKBENCH", subjects=["evt.workbench.>"])
    print("stream", stream.config.storage)
    await bus.close()
    store = redis.asyncio.from_url(os.environ["GATEWAY_REDIS_URL"])
    print("redis", await store.ping())
    await store.aclose()

asyncio.run(main())
raise SystemExit(7)
"""


def test_a_command_finds_real_servers_and_its_exit_code_is_ours(runner: Runner) -> None:
    done = runner.execute(USE_THE_SERVERS)
    assert done.returncode == 7, done.stderr
    assert done.stdout.splitlines() == [
        "workbench 180006",
        "kept out of the neighbour's database",
        "stream file",
        "redis True",
    ]
    assert left_by(runner) == []
    assert not runner.control.socket.exists()
    assert (runner.run_dir / "trial" / "secrets.json").stat().st_mode & 0o077 == 0


def test_a_taken_port_is_named_with_its_holder_before_anything_starts(runner: Runner) -> None:
    with socket.create_server(("127.0.0.1", runner.base + 50)):
        done = runner.execute("print('never')")
    assert done.returncode == 1
    assert f"port {runner.base + 50} (postgres) is held by" in done.stderr
    assert f"(pid {os.getpid()})" in done.stderr
    assert "TONGBAN_PORT_BASE=" in done.stderr
    assert done.stdout == ""
    assert left_by(runner) == []


async def test_what_is_killed_comes_back(runner: Runner) -> None:
    runner.begin_small_house()
    before = await runner.control.status()
    for name in ("accounts", "postgres", "nats", "redis"):
        await runner.control.kill(name, "KILL")
    after, killed = before, set(before) - {"gateway"}
    async with asyncio.timeout(30):
        while not all((after[name].state, after[name].restarts) == ("ready", 1) for name in killed):
            await asyncio.sleep(0.1)
            after = await runner.control.status()
    assert all(after[name].pid != before[name].pid for name in killed)
    assert after["gateway"] == before["gateway"]


async def test_services_forked_from_a_killed_process_come_back_too(runner: Runner) -> None:
    runner.fork = True
    services = ("accounts", "verification", "orchestration")
    runner.begin_small_house(*services)
    before = await runner.control.status()
    nursery = psutil.Process(before["accounts"].pid).parent()
    assert all(psutil.Process(before[name].pid).parent() == nursery for name in services)
    nursery.kill()
    after = before
    async with asyncio.timeout(20):
        while not all((after[name].state, after[name].restarts) == ("ready", 1) for name in services):
            await asyncio.sleep(0.1)
            after = await runner.control.status()
    assert after["postgres"] == before["postgres"]
    assert after["accounts"].pid != before["accounts"].pid


async def test_processes_are_stopped_and_started_by_name(runner: Runner) -> None:
    runner.begin_small_house()
    await runner.control.stop("accounts")
    stopped = (await runner.control.status())["accounts"]
    assert (stopped.state, stopped.pid) == ("stopped", None)
    await runner.control.start("accounts")
    await runner.control.wait_ready("accounts", within=5)
    await runner.control.kill("accounts", "STOP")  # frozen, and yet it stops
    await runner.control.restart("accounts")
    assert (await runner.control.status())["accounts"].state == "ready"
    with pytest.raises(ControlRefused, match="no process is named nobody"):
        await runner.control.kill("nobody")
    with pytest.raises(ControlRefused, match="no signal NONSENSE"):
        await runner.control.kill("accounts", "NONSENSE")


async def test_a_frozen_server_stands_still_whole(runner: Runner) -> None:
    runner.begin_small_house()
    secrets = json.loads((runner.run_dir / "trial" / "secrets.json").read_text())
    place = f"127.0.0.1:{runner.base + OFFSETS['postgres']}/postgres"
    connection = await asyncpg.connect(f"postgresql://postgres:{secrets['postgres_database_password']}@{place}")
    await runner.control.kill("postgres", "STOP")
    asked = asyncio.ensure_future(connection.fetchval("SELECT 1"))
    _, waiting = await asyncio.wait([asked], timeout=0.5)
    assert waiting, "a child of the server has answered"
    await runner.control.kill("postgres", "CONT")
    assert await asyncio.wait_for(asked, timeout=10) == 1
    await connection.close()


def test_a_signal_ends_everything(runner: Runner) -> None:
    house = runner.begin_small_house()
    running = runner.pids()
    assert set(running) == {"postgres", "nats", "redis", "accounts", "gateway"}
    house.send_signal(signal.SIGTERM)
    assert house.wait(timeout=30) == 0
    assert not any(psutil.pid_exists(pid) for pid in running.values())
    assert left_by(runner) == []


def test_what_a_killed_runner_left_behind_is_ended_by_the_next(runner: Runner) -> None:
    house = runner.begin_small_house()
    left = runner.pids()
    assert {"postgres", "nats", "redis", "accounts", "gateway"} == set(left)
    house.kill()
    house.wait()
    assert all(psutil.pid_exists(left[server]) for server in ("postgres", "nats", "redis"))
    done = runner.execute("print('after the crash')", "--keep-data")
    assert done.returncode == 0, done.stderr
    assert "after the crash" in done.stdout
    assert not any(psutil.pid_exists(pid) for pid in left.values())
    assert left_by(runner) == []


def test_an_instance_that_is_up_is_used_and_left_as_it_is(runner: Runner) -> None:
    runner.begin_small_house()
    before = runner.pids()
    done = runner.execute("import os; print(os.environ['TONGBAN_INSTANCE'])", "--with-house")
    assert (done.returncode, done.stdout) == (0, "trial\n"), done.stderr
    assert runner.pids() == before


def test_a_command_finds_an_instance_where_it_was_started(runner: Runner) -> None:
    runner.begin_small_house()
    # as in another terminal, where nobody said anything about ports
    script = "import os; print(os.environ['TONGBAN_PORT_BASE'])"
    done = replace(runner, base=18000).execute(script)
    assert (done.returncode, done.stdout) == (0, f"{runner.base}\n"), done.stderr


def test_a_service_that_cannot_start_is_explained(runner: Runner) -> None:
    house = runner.begin("-m", "tools.tests.small_house", str(runner.base), "accounts", "workbench")
    said, _ = house.communicate(timeout=60)
    assert house.returncode == 1
    assert "workbench ended while starting" in said
    assert "no such room" in said
    assert "Traceback" not in said
    assert left_by(runner) == []


def test_a_service_is_told_only_its_own_names(runner: Runner) -> None:
    names = json.loads(runner.call("environment", "--instance", "trial", "--base", str(runner.base)).stdout)
    assert names["VERIFICATION_ACCOUNTS_GRPC"] == f"127.0.0.1:{runner.base + 11}"
    keys = json.loads(names["ACCOUNTS_GATEWAY_CLIENT_JWKS"])["keys"]
    assert [(key["kty"], "d" in key) for key in keys] == [("EC", False)]
    assert names["ACCOUNTS_INDEX_KEY"] != names["VERIFICATION_INDEX_KEY"]
    again = json.loads(runner.call("environment", "--instance", "trial", "--base", str(runner.base)).stdout)
    assert again == names
