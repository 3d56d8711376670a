"""The hallway: builds the app, opens the doors, closes them in order."""

import random
import sys
from collections.abc import AsyncIterator, Callable
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
from worktime import national

from orchestration import jobs, usecases
from orchestration.api import router
from orchestration.api.attachments import LargerUploads
from orchestration.clients import Accounts, Apps, Departments, Places, Signer, Verification
from orchestration.consumers import subscriptions
from orchestration.settings import Settings
from orchestration.store import Store
from orchestration.store.sealing import SEALED
from orchestration.usecases import App, Bulkheads, Outside

NAME = "orchestration"
LOCALE = Path(__file__).parent / "locale"


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened(App):
    """The app with what only its doors need."""

    settings: Settings
    bus: Bus
    authenticator: Authenticator
    bulkheads: Bulkheads
    steady: jobs.Steady


@asynccontextmanager
async def opened(
    settings: Settings, *, clock: Callable[[], datetime], ids: Callable[[], UUID]
) -> AsyncIterator[Opened]:
    """Build the app, and close what it opened."""
    database = Database(settings.database_url.get_secret_value())
    bus = Bus(settings.nats_url, NAME)
    keys = KeyRing.from_settings(
        {name: key.get_secret_value() for name, key in settings.data_keys.items()},
        settings.index_key.get_secret_value(),
        settings.data_key,
    )
    accounts, verification = rpc.channel(settings.accounts_grpc), rpc.channel(settings.verification_grpc)
    departments = Accounts(accounts)
    posts = CachedPosts(departments.resolve_post)
    standing = CachedStanding(departments.let_in)
    own = ServiceToken(settings.keycloak_url, NAME, settings.client_secret.get_secret_value())
    verifier = Verifier(settings.keycloak_url, audience=NAME, clients=settings.clients)
    workbench = rpc.channel(settings.workbench_grpc)
    places = Places(settings.app_networks, loopback=settings.loopback_apps)
    systems = Departments(Signer(settings.signing_key.get_secret_value()), places, clock)
    bulkheads = Bulkheads()
    try:
        yield Opened(
            store=Store(database, clock=clock, ids=ids, keys=keys, calendar=national()),
            outside=Outside(Verification(verification, own), departments, Apps(workbench, own), systems),
            posts=posts,
            standing=standing,
            calendar=national(),
            chance=random.random,
            callback_url=f"{settings.public_url}/api/orchestration/v1/callbacks",
            sentences=config.sentences(LOCALE).by_reason,
            fonts=settings.fonts,
            settings=settings,
            bus=bus,
            authenticator=Authenticator(verifier, posts, standing),
            bulkheads=bulkheads,
            steady=jobs.Steady(database, clock, settings.clock_off_at_most),
        )
    finally:
        await bulkheads.close()
        await systems.close()
        await workbench.close()
        await verification.close()
        await accounts.close()
        await bus.close()
        await database.close()


def house(app: Opened) -> process.House:
    """Name the doors and what works behind them."""
    http = web.application(app, service=NAME, routers=[router], authenticator=app.authenticator, locale=LOCALE)
    http.add_middleware(LargerUploads)
    sealed = partial(telemetry.log.info, "journal.sealed", service=NAME)
    return process.House(
        name=NAME,
        http=http,
        http_port=app.settings.http_port,
        rpc=rpc.server(app, [], authenticator=app.authenticator, locale=LOCALE),
        grpc_port=app.settings.grpc_port,
        database=app.store.database,
        bus=app.bus,
        subscriptions=subscriptions,
        store=app.store,
        jobs=[
            *(
                process.Job(name, every, partial(app.steady.run, job))
                for name, every, job in (
                    ("run_calls", timedelta(milliseconds=5), partial(jobs.run_calls, app)),
                    ("forget_changes", timedelta(hours=1), partial(jobs.forget_changes, app)),
                    ("run_app_calls", timedelta(milliseconds=300), partial(jobs.run_app_calls, app, app.bulkheads)),
                    ("forget_nonces", timedelta(minutes=10), partial(jobs.forget_nonces, app)),
                    ("sweep_timers", timedelta(seconds=1), partial(jobs.sweep_timers, app)),
                    ("sweep_proposals", timedelta(seconds=5), partial(jobs.sweep_proposals, app)),
                    ("archive_filings", timedelta(hours=1), partial(jobs.archive_filings, app)),
                )
            ),
            process.Job("watch", timedelta(minutes=1), partial(jobs.watch, app)),
            process.Job("seal_journal", chaining.EVERY, partial(chaining.seal, _journal(app), sealed)),
        ],
    )


async def retry(app: Opened) -> None:
    """Try again every call that was given up."""
    async with app.store.begin(system(NAME, route="retry")) as tx:
        count = await usecases.retry_incidents(tx)
    telemetry.log.info("orchestration.retry_incidents", calls=count)


def _journal(app: Opened) -> chaining.Begin:
    return partial(app.store.begin, system(NAME, route="seal_journal"))


async def verify_journal(app: Opened) -> None:
    """Look whether the sealed journal is as it was; fail if it is not."""
    if await chaining.verify(_journal(app), lambda line: sys.stdout.write(f"{line}\n")):
        sys.exit(1)


async def reseal_all(app: Opened) -> None:
    """Seal everything under the current key; fail as long as something lies under another."""
    begin = partial(app.store.begin, system(NAME, route="reseal"))
    if await reseal(begin, SEALED, lambda line: sys.stdout.write(f"{line}\n")):
        sys.exit(1)


if __name__ == "__main__":
    process.main(
        NAME, Settings, opened, house, commands={"reseal": reseal_all, "verify-journal": verify_journal, "retry": retry}
    )
