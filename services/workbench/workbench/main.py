"""The hallway: builds the app, opens the doors, closes them in order."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from uuid import UUID

import chaining
from common import config, process, rpc, telemetry, web
from common.auth import Authenticator, CachedPosts, CachedStanding, ServiceToken, Verifier, system
from common.bus import Bus
from common.db import Database
from sealing import KeyRing, reseal

from workbench import jobs
from workbench.api import router
from workbench.clients import Agencies, Colleagues, Posts, Standing
from workbench.consumers import subscriptions
from workbench.domain.app import AddressRules
from workbench.rpc import SERVICES
from workbench.settings import Settings
from workbench.store import Store
from workbench.store.sealing import SEALED
from workbench.usecases.hub import STREAM, Hub

NAME = "workbench"
LOCALE = Path(__file__).parent / "locale"


@dataclass(frozen=True, slots=True)
class App:
    """What the doors need."""

    settings: Settings
    store: Store
    bus: Bus
    authenticator: Authenticator
    posts: CachedPosts
    standing: CachedStanding
    addresses: AddressRules
    colleagues: Colleagues
    agencies: Agencies
    hub: Hub
    sentences: Mapping[str, str]


@asynccontextmanager
async def opened(settings: Settings, *, clock: Callable[[], datetime], ids: Callable[[], UUID]) -> AsyncIterator[App]:
    """Build the app, and close what it opened."""
    database = Database(settings.database_url.get_secret_value())
    bus = Bus(settings.nats_url, NAME)
    keys = KeyRing.from_settings(
        {name: key.get_secret_value() for name, key in settings.data_keys.items()},
        settings.index_key.get_secret_value(),
        settings.data_key,
    )
    verifier = Verifier(settings.keycloak_url, audience=NAME, clients=settings.clients)
    accounts = rpc.channel(settings.accounts_grpc)
    posts = CachedPosts(Posts(accounts))
    standing = CachedStanding(Standing(accounts))
    own = ServiceToken(settings.keycloak_url, NAME, settings.client_secret.get_secret_value())
    store = Store(database, clock=clock, ids=ids, keys=keys, kick=partial(bus.kick, STREAM))
    hub = Hub(store, bus)
    looking = asyncio.create_task(hub.run())
    try:
        yield App(
            settings=settings,
            store=store,
            bus=bus,
            authenticator=Authenticator(verifier, posts, standing),
            posts=posts,
            standing=standing,
            colleagues=Colleagues(accounts, own),
            agencies=Agencies(accounts),
            hub=hub,
            sentences=config.sentences(LOCALE).by_reason,
            addresses=AddressRules(loopback=settings.loopback_apps),
        )
    finally:
        looking.cancel()
        await accounts.close()
        await bus.close()
        await database.close()


def house(app: App) -> process.House:
    """Name the doors and what works behind them."""
    sealed = partial(telemetry.log.info, "journal.sealed", service=NAME)
    return process.House(
        name=NAME,
        http=web.application(app, service=NAME, routers=[router], authenticator=app.authenticator, locale=LOCALE),
        http_port=app.settings.http_port,
        rpc=rpc.server(
            app.store,
            SERVICES,
            authenticator=app.authenticator,
            locale=LOCALE,
        ),
        grpc_port=app.settings.grpc_port,
        database=app.store.database,
        bus=app.bus,
        subscriptions=subscriptions,
        store=app.store,
        jobs=[
            process.Job("remind", timedelta(minutes=1), partial(jobs.remind, app)),
            process.Job("release", timedelta(minutes=5), partial(jobs.release, app)),
            process.Job("unstaffed", timedelta(minutes=5), partial(jobs.unstaffed, app)),
            process.Job("seal_journal", chaining.EVERY, partial(chaining.seal, _journal(app), sealed)),
        ],
    )


def _journal(app: App) -> chaining.Begin:
    return partial(app.store.begin, system(NAME, route="seal_journal"))


async def verify_journal(app: App) -> None:
    """Look whether the sealed journal is as it was; fail if it is not."""
    if await chaining.verify(_journal(app), lambda line: sys.stdout.write(f"{line}\n")):
        sys.exit(1)


async def reseal_all(app: App) -> None:
    """Seal everything under the current key; fail as long as something lies under another."""
    begin = partial(app.store.begin, system(NAME, route="reseal"))
    if await reseal(begin, SEALED, lambda line: sys.stdout.write(f"{line}\n")):
        sys.exit(1)


if __name__ == "__main__":
    process.main(NAME, Settings, opened, house, commands={"reseal": reseal_all, "verify-journal": verify_journal})
