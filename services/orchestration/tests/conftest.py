"""Orchestration as a whole, on real servers, with the services it asks beside it."""

from base64 import b64encode
from datetime import timedelta

import pytest
from joserfc.jwk import ECKey
from orchestration import main
from orchestration.settings import Settings

from . import others as other_services
from .desk import Desk
from .makers import MOTHER

SIGNING_KEY = ECKey.generate_key("P-256").as_pem(private=True).decode()

pytest_plugins = ["common.testing"]


@pytest.fixture
async def others():
    async with other_services.listening() as listening:
        yield listening


@pytest.fixture
async def settings(database, issuer, broker, others):
    issuer.register("orchestration", "secret", aud=["verification"], roles=["verification:issue_licence"])
    return Settings(
        database_url=await database("orchestration"),
        nats_url=broker.url,
        http_port=0,
        grpc_port=0,
        keycloak_url=issuer.url,
        client_secret="secret",
        data_keys={"k1": b64encode(b"k" * 32).decode()},
        index_key=b64encode(b"i" * 32).decode(),
        accounts_grpc=others.target,
        verification_grpc=others.target,
        workbench_grpc=others.target,
        public_url="http://localhost",
        signing_key=SIGNING_KEY,
        clients=(*Settings.model_fields["clients"].default, "department-cdc"),
        loopback_apps=True,
        # the tests' clock is set by them
        clock_off_at_most=timedelta.max,
    )


@pytest.fixture
async def service(open_house, settings):
    """The doors alone; what the clock does is done by hand."""
    return await open_house(main.opened, main.house, settings, parts=("doors",))


@pytest.fixture
def who(issuer):
    """Callers by name: `who("police")` is an officer there, `who()` the mother."""

    # Imported here: pytest must load the plugin itself, before anyone else does.
    from common.testing import Who  # noqa: PLC0415

    def make(name: str = "", *, acr: int = 2, person: str = MOTHER) -> Who:
        if not name:
            return Who("mother", issuer.token("citizen", person_id=person, aud="orchestration", acr=1))
        token = issuer.token("gov", employee_id=name, aud="orchestration", acr=acr)
        return Who(name, token)

    return make


@pytest.fixture
async def desk(service, who):
    """The newborn matter is published, and everyone sits at a desk."""
    async with Desk(service, who) as seated:
        await seated.publish()
        yield seated
