"""A service at the broker tells facts of its own and of nobody else, and keeps no stream but its own."""

import asyncio
import json
import re
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

import nats
import pytest
from attack.settings import SERVICES
from nats.js.errors import NotFoundError

REFUSED_WITHIN = 10
MADE_WITHIN = 90
DELETE = "$JS.API.STREAM.DELETE."
VIOLATION = re.compile(r'user:(\w+)" - (?:Publish|Subscription) Violation - Subject "([^"]+)"')
# what these tests are refused
OURS = re.compile(r"\.forged\.fact\.|^\$JS\.API\.STREAM\.(DELETE|PURGE|UPDATE)\.|^kick\.\w+$")


@asynccontextmanager
async def connected(url):
    """A connection, and what it was refused."""
    refused = []

    async def hear(error):
        refused.append(str(error).lower())

    client = await nats.connect(url, error_cb=hear)
    try:
        yield client, refused
    finally:
        await client.close()


async def made(streams, stream):
    """When a stream was made; one that was lost comes again when its service next looks."""
    async with asyncio.timeout(MADE_WITHIN):
        while True:
            with suppress(NotFoundError):
                return (await streams.stream_info(stream)).created
            await asyncio.sleep(0.5)


@pytest.mark.parametrize("service", SERVICES)
async def test_a_service_tells_no_facts_of_others_and_keeps_no_stream_of_theirs(settings, service):
    others = [name for name in SERVICES if name != service]
    async with (
        connected(settings.tongban_nats_url) as (operator, _),
        connected(settings.buses[service]) as (its, refused),
    ):
        streams = operator.jetstream()
        before = {name: await made(streams, f"EVT_{name.upper()}") for name in others}
        wanted = [f"evt.{name}.v1.forged.fact.{service}" for name in others]
        wanted += [f"{DELETE}EVT_{name.upper()}" for name in SERVICES]
        wanted += [f"$JS.API.STREAM.{act}.EVT_{name.upper()}" for act in ("PURGE", "UPDATE") for name in others]
        wanted += [f"kick.{name}" for name in others]
        for subject in wanted:
            await its.publish(subject, b"{}")
        async with asyncio.timeout(REFUSED_WITHIN):
            while len(refused) < len(wanted):  # noqa: ASYNC110 - the broker says no in its own time
                await asyncio.sleep(0.05)
        assert all(subject.lower() in said for subject, said in zip(wanted, refused, strict=True))
        for name in others:
            assert (await streams.stream_info(f"EVT_{name.upper()}")).created == before[name]
            with pytest.raises(NotFoundError):
                await streams.get_last_msg(f"EVT_{name.upper()}", f"evt.{name}.v1.forged.fact.{service}")


def test_no_service_was_refused_what_it_needs(settings):
    """By the broker's own log, after whatever has run in this house; refused kicks would only make it slow."""
    logs = (settings.tongban_instance_dir / "logs").glob("nats.log*")
    refused = {found for log in logs for found in VIOLATION.findall(log.read_text())}
    assert {each for each in refused if not OURS.search(each[1])} == set()


@pytest.mark.parametrize("told", [{}, {"user": "orchestration", "pass": "a guess"}, {"user": "nobody", "pass": ""}])
async def test_nobody_without_a_name_gets_to_the_broker(settings, told):
    address = urlsplit(settings.tongban_nats_url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    try:
        assert (await reader.readline()).startswith(b"INFO")
        writer.write(f"CONNECT {json.dumps({'verbose': False, **told})}\r\nPING\r\n".encode())
        assert b"Authorization Violation" in await reader.readline()
    finally:
        writer.close()
        await writer.wait_closed()
