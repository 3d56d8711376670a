"""What stands around the gateway in its tests: realms, services behind it, and cables that can be cut."""

import asyncio
import hashlib
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import demo.settings
import httpx
from aiohttp import web
from common import config, process
from common.auth import Authenticator, Call, Verifier
from common.errors import StepUpNeeded
from common.permissions import Caller, Permission, Post, check
from common.testing import Ids, Living, living
from common.web import problem
from demo.browser import Browser, Credentials
from demo.people import credentials
from gateway.settings import Settings

from gateway import main

SERVICES = ("accounts", "verification", "orchestration", "workbench")


async def _no_posts(_token: str, _employee_id: str, _post_id: str | None) -> Post:
    raise LookupError


class Cable:
    """A TCP relay to a server; it can be cut and mended, counts what passes through, and may lose answers."""

    def __init__(self, target: tuple[str, int]) -> None:
        self._target = target
        self._server: asyncio.Server | None = None
        self._running: set[asyncio.Task[None]] = set()
        self.port = 0
        self.sent = b""
        # whatever is answered to a request that begins so does not arrive
        self.loses = b""

    async def mend(self) -> None:
        self._server = await asyncio.start_server(self._plug, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        if self._server is not None:
            self._server.close()
        for each in list(self._running):
            each.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def _plug(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        there, back = await asyncio.open_connection(*self._target)
        try:
            async with asyncio.TaskGroup() as group:
                asked = bytearray()
                group.create_task(self._ask(reader, back, asked))
                group.create_task(self._answer(there, writer, asked))
        except* (OSError, EOFError):
            pass
        finally:
            writer.close()
            back.close()

    async def _ask(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, asked: bytearray) -> None:
        while data := await source.read(65536):
            self.sent += data
            asked[:] = data
            sink.write(data)
            await sink.drain()
        raise EOFError

    async def _answer(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, asked: bytearray) -> None:
        while data := await source.read(65536):
            if self.loses and asked.startswith(self.loses):
                break
            sink.write(data)
            await sink.drain()
        raise EOFError


@dataclass
class Service:
    """A small real service: it says what it got, swallows, pours, streams and dawdles."""

    name: str
    port: int = 0
    got: list[dict[str, Any]] = field(default_factory=list)
    left: asyncio.Event = field(default_factory=asyncio.Event)
    waiting: asyncio.Event = field(default_factory=asyncio.Event)
    document: dict[str, Any] | None = None
    _authenticator: Authenticator | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @asynccontextmanager
    async def serve(self) -> AsyncIterator["Service"]:
        app = web.Application(client_max_size=100 * 1024 * 1024)
        app.router.add_get("/openapi.json", self._openapi)
        app.router.add_route("*", "/v1/swallow", self._swallow)
        app.router.add_get("/v1/pour", self._pour)
        app.router.add_get("/v1/events", self._events)
        app.router.add_get("/v1/dawdle", self._dawdle)
        app.router.add_get("/v1/break", self._break)
        app.router.add_get("/v1/elsewhere", self._elsewhere)
        app.router.add_get("/v1/cookie", self._cookie)
        app.router.add_get("/v1/sensitive", self._sensitive)
        app.router.add_route("*", "/{rest:.*}", self._echo)
        runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", self.port)
        await site.start()
        self.port = runner.addresses[0][1]
        try:
            yield self
        finally:
            await runner.cleanup()

    async def _openapi(self, _request: web.Request) -> web.Response:
        if self.document is None:
            return web.Response(status=500)
        return web.json_response(self.document)

    async def _echo(self, request: web.Request) -> web.Response:
        said = {
            "service": self.name,
            "method": request.method,
            "target": request.raw_path,
            "headers": [[name, value] for name, value in request.headers.items()],
            "body": (await request.read()).decode("latin-1"),
        }
        self.got.append(said)
        return web.json_response(said)

    async def _swallow(self, request: web.Request) -> web.Response:
        size, digest = 0, hashlib.sha256()
        async for chunk in request.content.iter_any():
            size += len(chunk)
            digest.update(chunk)
        return web.json_response({"size": size, "sha256": digest.hexdigest()})

    async def _pour(self, request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"Content-Type": "application/octet-stream"})
        await answer.prepare(request)
        for _ in range(int(request.query["pieces"])):
            await answer.write(b"x" * 65536)
        return answer

    async def _events(self, request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await answer.prepare(request)
        await answer.write(f"data: after {request.headers.get('Last-Event-ID', 'nothing')}\n\n".encode())
        try:
            self.waiting.set()
            await asyncio.sleep(60)
        finally:
            self.left.set()
        return answer

    async def _dawdle(self, _request: web.Request) -> web.Response:
        try:
            self.waiting.set()
            await asyncio.sleep(60)
        finally:
            self.left.set()
        return web.Response()

    async def _break(self, request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"Content-Length": "100"})
        await answer.prepare(request)
        await answer.write(b"half")
        assert request.transport is not None
        request.transport.close()
        return answer

    async def _elsewhere(self, request: web.Request) -> web.Response:
        return web.Response(status=307, headers={"Location": request.query["to"]})

    async def _sensitive(self, request: web.Request) -> web.Response:
        """A verb that needs a one-time code, or a fresh proof; refused as every service of ours does."""
        if self._authenticator is None:
            known = Settings()  # type: ignore[call-arg]
            verifier = Verifier(known.keycloak_url, self.name, known.clients)
            self._authenticator = Authenticator(verifier, _no_posts)
        token = request.headers["Authorization"].removeprefix("Bearer ")
        actor = await self._authenticator.actor(token, None, Call("sensitive"))
        max_age = request.query.get("max_age")
        needed = Permission("sensitive", frozenset(Caller), *((1, int(max_age)) if max_age else (2,)))
        try:
            check(actor, needed)
        except StepUpNeeded as refusal:
            said = problem.of_refusal(refusal, config.sentences(main.LOCALE))
            return web.Response(body=said.body, status=said.status_code, headers=dict(said.headers))
        return web.json_response({"acr": actor.acr})

    async def _cookie(self, _request: web.Request) -> web.Response:
        headers = {"Set-Cookie": "mine=1", "X-Hop": "1", "Connection": "X-Hop", "Access-Control-Allow-Origin": "*"}
        return web.Response(text="ok", headers=headers)


@dataclass
class World:
    """The gateway and all around it."""

    gateway: Living
    services: dict[str, Service]
    redis: Cable
    keycloak: Cable
    settings: Settings

    @property
    def url(self) -> str:
        """A second gateway has a port of its own; its sessions are the first one's."""
        return f"http://localhost:{self.gateway.ports.http}"

    @property
    def app(self) -> Any:
        return self.gateway.app.app

    def browser(self, face: str = "citizen", *, with_cookies_of: Browser | None = None) -> Browser:
        browser = Browser(self.url, face)
        if with_cookies_of is not None:
            browser.cookies = with_cookies_of.cookies
        return browser

    def http(self, **headers: str) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=self.url, headers=headers, trust_env=False, timeout=20)


def person(username: str) -> Credentials:
    return credentials(demo.settings.Settings(), username)  # type: ignore[call-arg]


async def run(*command: str) -> None:
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    said, _ = await child.communicate()
    assert child.returncode == 0, said.decode()


@asynccontextmanager
async def around(**changes: Any) -> AsyncIterator[World]:
    """A gateway on its own port, where Keycloak's realms expect it; all it needs stands around it."""
    known = Settings()  # type: ignore[call-arg]
    redis_url = urlsplit(known.redis_url.get_secret_value())
    keycloak_url = urlsplit(known.keycloak_url)
    redis = Cable((redis_url.hostname or "", redis_url.port or 0))
    keycloak = Cable((keycloak_url.hostname or "", keycloak_url.port or 0))
    await redis.mend()
    await keycloak.mend()
    services = {name: Service(name) for name in SERVICES}
    async with (
        services["accounts"].serve(),
        services["orchestration"].serve(),
        services["workbench"].serve(),
    ):
        # verification stays away
        services["verification"].port = 9
        settings = known.model_copy(
            update={
                "services": {name: each.url for name, each in services.items()},
                "redis_url": type(known.redis_url)(
                    f"redis://{redis_url.netloc.rpartition('@')[0]}@127.0.0.1:{redis.port}/0"
                ),
                "keycloak_inner_url": f"http://127.0.0.1:{keycloak.port}",
                "anonymous_rate": 1000.0,
                "anonymous_burst": 10_000,
                "person_burst": 1000,
                "restart_within": timedelta(seconds=0.5),
                **changes,
            }
        )
        try:
            async with living(main.opened, main.house, settings, clock=process.now, ids=Ids()) as gateway:
                yield World(gateway, services, redis, keycloak, settings)
        finally:
            await redis.cut()
            await keycloak.cut()


async def until(happened: Any, *, within: float = 10) -> None:
    async with asyncio.timeout(within):
        while not await happened():  # noqa: ASYNC110 - what is awaited happens elsewhere
            await asyncio.sleep(0.05)
