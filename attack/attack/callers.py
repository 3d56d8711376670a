"""Who calls past the gateway: nobody, people and officers with tokens of their own, and every service itself."""

from dataclasses import dataclass
from urllib.parse import quote

from demo.people import credentials
from demo.settings import Settings as DemoSettings

from attack.settings import SERVICES, Settings
from attack.tokens import Keycloak
from demo import city

PURPOSE = quote("办理出生一件事")
CITIZENS = ("lijing", "wangfang")
# one may decide and issue, one administers accounts, one is of another district
OFFICERS = ("police", "admin", "zichuan")
# who sends what is too large: one who may, and one whom nobody knows
LARGE = frozenset({"nobody", "lijing", "service orchestration"})


@dataclass(frozen=True)
class Caller:
    """A name for the report, and what is sent along with every call."""

    name: str
    metadata: tuple[tuple[str, str], ...] = ()


async def everybody(settings: Settings) -> list[Caller]:
    """All callers; the tokens live some minutes."""
    demo = DemoSettings()
    keycloak = Keycloak(settings.tongban_keycloak_url, demo.public_url, settings.gateway_client_key)
    found = [Caller("nobody"), Caller("a forger", _bearer("eyJhbGciOiJub25lIn0.e30."))]
    for name in CITIZENS:
        given = await keycloak.log_in(credentials(demo, name))
        found.append(Caller(name, _bearer(given.access)))
    for name in OFFICERS:
        given = await keycloak.log_in(credentials(demo, name), "workbench")
        found.append(Caller(name, (*_bearer(given.access), ("x-post", city.employee(name)["post_id"]))))
    for name in SERVICES:
        token = await keycloak.of_service(name, settings.client_secrets[name])
        found.append(Caller(f"service {name}", _bearer(token)))
    return found


def _bearer(token: str) -> tuple[tuple[str, str], ...]:
    return (("authorization", f"Bearer {token}"), ("x-purpose", PURPOSE))
