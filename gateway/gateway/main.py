"""The hallway: builds the gateway, opens its door, closes it in order."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, cast
from uuid import UUID

import aiohttp
import chaining
from common import config, process, telemetry
from common.auth import Verifier
from common.db import Database
from common.process import House
from pydantic import SecretStr
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from sealing import KeyRing

from gateway.api import Api
from gateway.domain import Limit
from gateway.journal import Journal
from gateway.limits import Limits
from gateway.openapi import Documents
from gateway.proxy import UNSAID, Proxy
from gateway.sessions import Sessions
from gateway.settings import Settings
from gateway.tokens import Keycloak
from gateway.usecases import App, Rules

if TYPE_CHECKING:
    from fastapi import FastAPI

LOCALE = Path(__file__).parent / "locale"


@asynccontextmanager
async def opened(
    settings: Settings, *, clock: Callable[[], datetime], ids: Callable[[], UUID]
) -> AsyncIterator["Gateway"]:
    """Everything that the door needs, and its end in order."""
    database = Database(settings.database_url.get_secret_value(), pool_size=2)
    redis = _redis(settings)
    journal = Journal(database, redis, _keys(settings, settings.data_keys), clock, ids)
    async with _way_through(settings) as http, aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as control:
        app = _app(settings, http=http, control=control, redis=redis, journal=journal, clock=clock, ids=ids)
        writing = asyncio.create_task(journal.run())
        try:
            yield Gateway(app, settings)
        finally:
            # tokens that are just being renewed must be kept: the old ones no longer serve
            await asyncio.gather(*app.renewals, return_exceptions=True)
            writing.cancel()
            with suppress(asyncio.CancelledError):
                await writing
            await redis.aclose()
            await database.close()


class Gateway:
    """The app behind its door."""

    def __init__(self, app: App, settings: Settings) -> None:
        sentences = config.sentences(LOCALE)
        sentences.require("gateway")
        self.app = app
        self.settings = settings
        self.door = Api(app, sentences).door


def house(gateway: Gateway) -> House:
    """One door. Redis, Keycloak and the services may be away: what can go on without them goes on."""
    sealed = partial(telemetry.log.info, "journal.sealed", service="gateway")
    return House(
        name="gateway",
        http=cast("FastAPI", gateway.door),
        http_port=gateway.settings.http_port,
        host=gateway.settings.http_host,
        jobs=[process.Job("seal_journal", chaining.EVERY, partial(chaining.seal, gateway.app.journal.begin, sealed))],
    )


def _app(
    settings: Settings,
    *,
    http: aiohttp.ClientSession,
    control: aiohttp.ClientSession,
    redis: Redis,
    journal: Journal,
    clock: Callable[[], datetime],
    ids: Callable[[], UUID],
) -> App:
    public_url = settings.public_url.rstrip("/")
    return App(
        public_url=public_url,
        rules=_rules(settings),
        clock=clock,
        sessions=Sessions(
            redis,
            _keys(settings, settings.session_keys, settings.session_key),
            clock,
            idle=settings.idle,
            log_in_within=settings.log_in_within,
        ),
        keycloak=Keycloak(
            control,
            settings.keycloak_url,
            inner_url=settings.keycloak_inner_url or settings.keycloak_url,
            public_url=public_url,
            client_id=settings.client_id,
            client_key=settings.client_key.get_secret_value(),
            clock=clock,
            ids=ids,
        ),
        limits=Limits(redis),
        journal=journal,
        proxy=Proxy(
            http,
            settings.services,
            body_limit=settings.body_limit,
            connect_within=settings.connect_within.total_seconds(),
            restart_within=settings.restart_within.total_seconds(),
            answer_within=settings.answer_within.total_seconds(),
        ),
        documents=Documents(control, settings.services, public_url=public_url),
        verifiers={
            name: Verifier(settings.keycloak_url, name, settings.clients, now=lambda: clock().timestamp())
            for name in settings.services
        },
    )


def _way_through(settings: Settings) -> aiohttp.ClientSession:
    """The services' connections: what they send passes as it is, compressed or not."""
    connector = aiohttp.TCPConnector(
        limit=settings.connections, keepalive_timeout=settings.idle_connection.total_seconds()
    )
    return aiohttp.ClientSession(
        connector=connector,
        auto_decompress=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        skip_auto_headers=UNSAID,
    )


def _rules(settings: Settings) -> Rules:
    return Rules(
        absolute=settings.absolute,
        renew_ahead=settings.renew_ahead,
        person=Limit(settings.person_rate, settings.person_burst),
        service=Limit(settings.service_rate, settings.service_burst),
        anonymous=Limit(settings.anonymous_rate, settings.anonymous_burst),
        trusted_hops=settings.trusted_hops,
    )


def _redis(settings: Settings) -> Redis:
    pool = BlockingConnectionPool.from_url(
        settings.redis_url.get_secret_value(),
        max_connections=settings.redis_connections,
        timeout=1,
        socket_connect_timeout=0.5,
        socket_timeout=1,
        # one try more, for a connection that the server had closed
        retry=Retry(NoBackoff(), 1),
    )
    # from_pool: closing the client closes the pool with it
    return Redis.from_pool(pool)


def _keys(settings: Settings, keys: Mapping[str, SecretStr], current: str = "") -> KeyRing:
    named = {name: key.get_secret_value() for name, key in keys.items()}
    return KeyRing.from_settings(named, settings.index_key.get_secret_value(), current)


async def reseal_sessions(gateway: Gateway) -> None:
    """Seal every session under the current key; fail as long as one lies under another."""
    sealed, left = await gateway.app.sessions.reseal()
    sys.stdout.write(f"sessions: {sealed} sealed anew, {left} left\n")
    if left:
        sys.exit(1)


async def verify_journal(gateway: Gateway) -> None:
    """Look whether the sealed journal is as it was; fail if it is not."""
    if await chaining.verify(gateway.app.journal.begin, lambda line: sys.stdout.write(f"{line}\n")):
        sys.exit(1)


if __name__ == "__main__":
    process.main(
        "gateway", Settings, opened, house, commands={"reseal": reseal_sessions, "verify-journal": verify_journal}
    )
