"""The hallway: builds the app, opens the doors, closes them in order."""

import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from uuid import UUID

import chaining
from common import permissions, process, rpc, telemetry, web
from common.auth import Authenticator, Verifier, system
from common.bus import Bus
from common.db import Database
from pydantic import SecretStr
from sealing import KeyRing, reseal

from accounts import jobs
from accounts.api import router
from accounts.clients.keycloak import Administration
from accounts.clients.log_ins import LogIns
from accounts.domain.realms import Surroundings
from accounts.rpc import SERVICES
from accounts.settings import Settings
from accounts.store import Store
from accounts.store.sealing import SEALED
from accounts.usecases.passwords import PasswordWatch
from accounts.usecases.posts import resolve_post
from accounts.usecases.realms import reconcile_realms
from accounts.usecases.states import Doorkeeper

NAME = "accounts"
LOCALE = Path(__file__).parent / "locale"


@dataclass(frozen=True, slots=True)
class App:
    """What the doors need."""

    settings: Settings
    store: Store
    bus: Bus
    authenticator: Authenticator


@asynccontextmanager
async def opened(settings: Settings, *, clock: Callable[[], datetime], ids: Callable[[], UUID]) -> AsyncIterator[App]:
    """Build the app, and close what it opened."""
    database = Database(settings.database_url.get_secret_value())
    bus = Bus(settings.nats_url, NAME)
    keys = KeyRing.from_settings(_open(settings.data_keys), settings.index_key.get_secret_value(), settings.data_key)
    store = Store(database, clock=clock, ids=ids, keys=keys, proof_lasts=settings.proof_lasts)

    # Whoever else resolves posts remembers them for a while; their owner looks them up.
    async def posts(
        token: str,  # noqa: ARG001 - what others ask us with
        employee_id: str,
        post_id: str | None,
    ) -> permissions.Post:
        return await resolve_post(store, employee_id, post_id)

    verifier = Verifier(settings.keycloak_url, audience=NAME, clients=settings.clients)
    doorkeeper = Doorkeeper(Authenticator(verifier, posts), store)
    try:
        yield App(settings=settings, store=store, bus=bus, authenticator=doorkeeper)
    finally:
        await bus.close()
        await database.close()


def house(app: App) -> process.House:
    """Name the doors and what works behind them."""
    tell_states = partial(jobs.tell_states, app.store, partial(_keycloak, app.settings, Administration))
    watch = PasswordWatch(partial(_keycloak, app.settings, LogIns), process.now())
    sealed = partial(telemetry.log.info, "journal.sealed", service=NAME)
    return process.House(
        name=NAME,
        http=web.application(app.store, service=NAME, routers=[router], authenticator=app.authenticator, locale=LOCALE),
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
        store=app.store,
        jobs=[
            process.Job("tell_states", timedelta(seconds=1), tell_states),
            process.Job("end_old_log_ins", timedelta(seconds=10), partial(jobs.end_old_log_ins, watch)),
            process.Job("seal_journal", chaining.EVERY, partial(chaining.seal, _journal(app), sealed)),
        ],
    )


async def reconcile(app: App) -> None:
    """Bring Keycloak's realms to the described state; print what was changed."""
    settings = app.settings
    place = Surroundings(
        public_url=settings.public_url,
        gateway_keys=settings.gateway_client_jwks,
        client_secrets=_open(settings.client_secrets),
        demo=settings.demo,
    )
    async with _keycloak(settings, Administration) as keycloak:
        changes = await reconcile_realms(
            keycloak, place, people=settings.demo_people, demo_secrets=_open(settings.demo_secrets)
        )
    sys.stdout.write("".join(f"{line}\n" for line in changes or ["realms: nothing changed"]))


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


def _keycloak[C: Administration](settings: Settings, client: type[C]) -> C:
    return client(
        settings.keycloak_url, settings.keycloak_admin_client, settings.keycloak_admin_secret.get_secret_value()
    )


def _open(secrets: dict[str, SecretStr]) -> dict[str, str]:
    return {name: secret.get_secret_value() for name, secret in secrets.items()}


if __name__ == "__main__":
    process.main(
        NAME,
        Settings,
        opened,
        house,
        commands={"reconcile": reconcile, "reseal": reseal_all, "verify-journal": verify_journal},
    )
