"""What the services send to a collector of traces while people's data passes through them."""

import asyncio
import os
import signal
import sys
import time
from contextlib import AsyncExitStack, asynccontextmanager

import httpx
import pytest
from attack.collector import collecting
from attack.scan import Needles
from attack.settings import SERVICES

from attack import callers
from demo import city, newborn

WITHIN = 120.0


@asynccontextmanager
async def another(service, port, endpoint):
    """One more process of a service, which traces every call."""
    told = {
        f"{service.upper()}_HTTP_PORT": str(port),
        f"{service.upper()}_GRPC_PORT": str(port + 1),
        "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
        "OTEL_TRACES_SAMPLER_ARG": "1.0",
        "OTEL_BSP_SCHEDULE_DELAY": "200",
    }
    command = (sys.executable, "-m", f"{service}.main", "serve", "--only", "doors")
    process = await asyncio.create_subprocess_exec(
        *command, env=os.environ | told, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.send_signal(signal.SIGTERM)
        # what is still held back is sent at the end
        await asyncio.wait_for(process.wait(), WITHIN)


async def ready(http, url):
    deadline = time.monotonic() + WITHIN
    while True:
        try:
            if (await http.get(f"{url}/readyz")).is_success:
                return
        except httpx.TransportError:
            pass
        assert time.monotonic() < deadline, f"{url} does not come up"
        await asyncio.sleep(0.2)


def headers(caller, key=""):
    sent = {"X-Post" if name == "x-post" else name: value for name, value in caller.metadata}
    return sent | ({"Idempotency-Key": key} if key else {})


@pytest.mark.timeout(300)
async def test_no_trace_tells_of_people_or_secrets(settings, everybody):
    assert everybody, "the city is loaded"
    mother = city.citizen("lijing")
    known = {caller.name: caller for caller in await callers.everybody(settings)}
    base = int(os.environ["TONGBAN_PORT_BASE"]) + 92
    async with collecting() as collector, AsyncExitStack() as stack:
        urls = {
            service: await stack.enter_async_context(another(service, base + 2 * place, collector.endpoint))
            for place, service in enumerate(SERVICES)
        }
        http = await stack.enter_async_context(httpx.AsyncClient(trust_env=False, timeout=30))
        for url in urls.values():
            await ready(http, url)
        form = newborn.form(int(time.time()) % 10_000_000)
        filing = {"matter_code": newborn.MATTER, "region_code": "370303", "form": form, "determinants": {}}
        key = f"traces-{time.time_ns()}"
        citizen, officer = headers(known["lijing"], key), headers(known["police"], key)
        administrator = headers(known["admin"], key)
        asked = [
            await http.get(f"{urls['accounts']}/v1/me", headers=citizen),
            await http.get(f"{urls['verification']}/v1/me/licences", headers=citizen),
            await http.post(f"{urls['orchestration']}/v1/filings", headers=citizen, json=filing),
            await http.get(f"{urls['workbench']}/v1/todos", headers=officer, params={"q": mother["name"]}),
            await http.get(f"{urls['orchestration']}/v1/cases/{mother['id_number']}", headers=officer),
            await http.post(
                f"{urls['accounts']}/v1/persons:search",
                headers=administrator,
                json={"id_number": mother["id_number"]},
            ),
        ]
        assert {answer.status_code < 500 for answer in asked} == {True}
    spans = collector.spans()
    assert set(spans) == set(SERVICES)
    needles, sent = Needles.of(settings), [each.SerializeToString() for each in collector.kept]
    assert [str(found) for each in sent for found in needles.in_bytes("a trace", each)] == []
    # the collector keeps what it is sent: what is looked for would be found in it
    assert any(name.encode() in each for each in sent for name in spans["orchestration"])
