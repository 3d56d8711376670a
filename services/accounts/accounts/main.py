"""The hallway: builds the app, opens the doors, closes them in order."""

import asyncio
import sys

from accounts.clients.keycloak import Administration
from accounts.domain.realms import Surroundings
from accounts.settings import Settings
from accounts.usecases.realms import reconcile_realms


async def reconcile(settings: Settings) -> None:
    """Bring Keycloak's realms to the described state; print what was changed."""
    place = Surroundings(
        public_url=settings.public_url,
        gateway_keys=settings.gateway_client_jwks,
        client_secrets={name: secret.get_secret_value() for name, secret in settings.client_secrets.items()},
        demo=settings.demo,
    )
    keycloak = Administration(
        settings.keycloak_url, settings.keycloak_admin_client, settings.keycloak_admin_secret.get_secret_value()
    )
    secrets = {name: secret.get_secret_value() for name, secret in settings.demo_secrets.items()}
    changes = await reconcile_realms(keycloak, place, people=settings.demo_people, demo_secrets=secrets)
    sys.stdout.write("".join(f"{line}\n" for line in changes or ["realms: nothing changed"]))


if __name__ == "__main__":
    asyncio.run(reconcile(Settings()))
