"""A collector of traces as an operator runs one: takes what is sent by OTLP over HTTP, and keeps it to be looked at."""

import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)


@dataclass(slots=True)
class Collector:
    """Where to send, and what has come."""

    endpoint: str = ""
    kept: list[ExportTraceServiceRequest] = field(default_factory=list)

    def spans(self) -> dict[str, list[str]]:
        """The spans of each service by name."""
        found: dict[str, list[str]] = {}
        for sent in self.kept:
            for of_service in sent.resource_spans:
                named = {each.key: each.value.string_value for each in of_service.resource.attributes}
                spans = [span.name for scope in of_service.scope_spans for span in scope.spans]
                found.setdefault(named.get("service.name", ""), []).extend(spans)
        return found

    async def take(self, request: web.Request) -> web.Response:
        """One delivery."""
        body = await request.read()
        # a server that has read the header may have unpacked it already
        packed = request.headers.get("Content-Encoding") == "gzip" and body.startswith(b"\x1f\x8b")
        self.kept.append(ExportTraceServiceRequest.FromString(gzip.decompress(body) if packed else body))
        answer = ExportTraceServiceResponse().SerializeToString()
        return web.Response(body=answer, content_type="application/x-protobuf")


@asynccontextmanager
async def collecting() -> AsyncIterator[Collector]:
    """A collector on a free port."""
    collector = Collector()
    application = web.Application(client_max_size=64 << 20)
    application.router.add_post("/v1/traces", collector.take)
    runner = web.AppRunner(application)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        collector.endpoint = f"http://{host}:{port}"
        yield collector
    finally:
        await runner.cleanup()
