"""The life of a process, with a real one."""

import asyncio
import json
import os
import signal
import socket
import sys
from pathlib import Path

import httpx
import pytest
import tickets
from common import process

HERE = Path(__file__).parent


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


class Running:
    """A subprocess and what it said."""

    def __init__(self, process):
        self.process = process
        self.lines = []

    async def said(self, event):
        """Read on until it says this."""
        async with asyncio.timeout(30):
            async for line in self.process.stdout:
                self.lines.append(json.loads(line))
                if self.lines[-1]["event"] == event:
                    return self.lines[-1]
        raise AssertionError(self.lines, (await self.process.stderr.read()).decode())

    async def end(self):
        async with asyncio.timeout(30):
            rest = (await self.process.stdout.read()).decode()
            self.lines += [json.loads(line) for line in rest.splitlines()]
            return await self.process.wait()


@pytest.fixture
async def start(issuer):
    begun = []

    async def run(*arguments, **settings):
        environment = {"PATH": os.environ["PATH"], "TICKETS_KEYCLOAK_URL": issuer.url, **settings}
        environment = {key: value for key, value in environment.items() if value}
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(HERE / "tickets.py"),
            *arguments,
            env=environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        begun.append(process)
        return Running(process)

    yield run
    for each in begun:
        if each.returncode is None:
            each.kill()
        await each.communicate()


async def test_a_terminated_process_finishes_what_is_under_way(start, citizen):
    port = free_port()
    running = await start(TICKETS_HTTP_PORT=str(port), TICKETS_SLOW="1.5")
    await running.said("process.opened")
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as http:
        slow = asyncio.create_task(http.get("/v1/tickets/slow", headers={"Authorization": f"Bearer {citizen}"}))
        async with asyncio.timeout(10):
            while "tongban_door_seconds_count{" not in (await http.get("/metrics")).text:
                await http.get("/v1/tickets/t1", headers={"Authorization": f"Bearer {citizen}"})
        running.process.send_signal(signal.SIGTERM)
        await running.said("process.draining")
        assert (await slow).status_code == 200
        with pytest.raises(httpx.ConnectError):
            await httpx.AsyncClient(trust_env=False).get(f"http://127.0.0.1:{port}/healthz")
    assert await running.end() == 0
    assert running.lines[-1]["event"] == "process.closed"
    said = [each["event"] for each in running.lines]
    assert said.index("process.draining") < len(said) - 1 - said[::-1].index("tickets.read_ticket")


async def test_settings_are_shown_at_the_start_without_secrets(start):
    running = await start(TICKETS_CLIENT_SECRET="swordfish")
    shown = await running.said("process.settings")
    assert shown["client_secret"] == "***"
    assert shown["database_url"] == "postgresql+asyncpg://tickets:***@localhost/tickets"
    await running.said("process.opened")
    running.process.send_signal(signal.SIGINT)
    assert await running.end() == 0
    assert "swordfish" not in json.dumps(running.lines)


async def test_a_missing_setting_is_named_and_nothing_starts(start):
    running = await start(TICKETS_KEYCLOAK_URL="", TICKETS_HTTP_PORT="swordfish")
    assert await running.end() == 2
    assert running.lines[-1]["settings"] == {"keycloak_url": "missing", "http_port": "int_parsing"}
    assert "swordfish" not in json.dumps(running.lines)


async def test_only_the_wanted_part_runs(start):
    port = free_port()
    running = await start("serve", "--only", "relay", TICKETS_HTTP_PORT=str(port))
    assert (await running.said("process.opened"))["parts"] == ["relay"]
    async with httpx.AsyncClient(trust_env=False) as http:
        with pytest.raises(httpx.ConnectError):
            await http.get(f"http://127.0.0.1:{port}/healthz")
    running.process.send_signal(signal.SIGTERM)
    assert await running.end() == 0


async def test_a_taken_port_ends_the_process_with_an_error(start):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        second = await start(TICKETS_HTTP_PORT=str(taken.getsockname()[1]))
        assert await second.end() == 1
    assert second.lines[-1]["event"] == "process.failed"


async def test_people_are_served_while_the_bus_is_away_and_the_process_still_ends(start):
    port = free_port()
    running = await start(TICKETS_HTTP_PORT=str(port), TICKETS_NATS_URL="nats://127.0.0.1:9")
    await running.said("process.opened")
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as http:
        assert (await http.get("/healthz")).status_code == 200
        answer = await http.get("/readyz")
    assert (answer.status_code, answer.json()["parts"]) == (503, {"bus": False})
    running.process.send_signal(signal.SIGTERM)
    assert await running.end() == 0


async def test_a_bus_that_closes_for_good_ends_the_process(issuer, broker):
    settings = tickets.Settings(keycloak_url=issuer.url, nats_url=broker.url)
    stop, opened = asyncio.Event(), asyncio.Event()
    async with tickets.opened(settings, clock=None, ids=None) as app:
        house = tickets.house(app)
        living = asyncio.create_task(
            process.live(house, app, stop=stop, clock=process.now, opened=lambda _ports: opened.set())
        )
        await asyncio.wait_for(opened.wait(), 10)
        await house.bus.close()
        with pytest.raises(ExceptionGroup) as ended:
            await asyncio.wait_for(living, 10)
    assert ended.group_contains(ConnectionError, match="for good")


async def test_a_job_runs_again_and_again_though_it_failed(living):
    async with asyncio.timeout(5):
        for _ in range(3):
            await living.app.counts.get()
