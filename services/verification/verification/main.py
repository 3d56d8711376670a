"""The hallway: builds the app, opens the doors, closes them in order."""

import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from uuid import UUID

import chaining
from common import process, rpc, telemetry, web
from common.auth import Authenticator, CachedPosts, CachedStanding, Verifier, system
from common.bus import Bus
from common.db import Database
from sealing import KeyRing, reseal

from verification.api import router
from verification.clients import Agents, Guardians, Posts, Standing
from verification.consumers import subscriptions
from verification.rpc import services
from verification.settings import Settings
from verification.store import Store
from verification.store.sealing import SEALED

NAME = "verification"
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
    guardians: Guardians
    agents: Agents


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
    try:
        yield App(
            settings=settings,
            store=Store(database, clock=clock, ids=ids, keys=keys),
            bus=bus,
            authenticator=Authenticator(verifier, posts, standing),
            posts=posts,
            standing=standing,
            guardians=Guardians(accounts),
            agents=Agents(accounts),
        )
    finally:
        await accounts.close()
        await bus.close()
        await database.close()


def house(app: App) -> process.House:
    """Name the doors and what works behind them."""
    sealed = partial(telemetry.log.info, "journal.sealed", service=NAME)
    return process.House(
        name=NAME,
        http=web.application(app.store, service=NAME, routers=[router], authenticator=app.authenticator, locale=LOCALE),
        http_port=app.settings.http_port,
        rpc=rpc.server(
            NAME,
            services(app.store, app.guardians, app.agents),
            authenticator=app.authenticator,
            locale=LOCALE,
        ),
        grpc_port=app.settings.grpc_port,
        database=app.store.database,
        bus=app.bus,
        subscriptions=subscriptions,
        store=app.store,
        jobs=[process.Job("seal_journal", chaining.EVERY, partial(chaining.seal, _journal(app), sealed))],
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
