"""Bringing Keycloak's realms to the state that the repository describes."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from pathlib import Path

import yaml

from accounts.clients.keycloak import Administration
from accounts.domain.realms import JSON, LogIn, Surroundings, wanted

DESCRIPTIONS = Path(__file__).parents[1] / "realms"
REALMS = ("gov", "citizen")
AUTHENTICATOR = {
    "subType": "totp",
    "digits": 6,
    "counter": 0,
    "period": 30,
    "algorithm": "HmacSHA1",
    "secretEncoding": "BASE32",
}


async def reconcile_realms(
    keycloak: Administration, place: Surroundings, *, people: Path, demo_secrets: Mapping[str, str]
) -> list[str]:
    """Reconcile both realms (身份域) and, where there is a demo, its people's log-ins; tell what was changed."""
    demo = _read(people) if place.demo else {}
    changes = []
    for name in REALMS:
        description = _read(DESCRIPTIONS / f"{name}.yaml")
        log_ins = list(_log_ins(description["identity"], demo, demo_secrets)) if place.demo else []
        changes += await keycloak.reconcile(wanted(description, place), log_ins)
    return changes


def _read(file: Path) -> JSON:
    content: JSON = yaml.safe_load(file.read_text(encoding="utf-8"))
    return content


def one_time_seed(seed: str, username: str) -> str:
    """Derive one person's seed (base32) from the common one, so that a command can print codes without a store."""
    return base64.b32encode(hmac.digest(seed.encode(), username.encode(), hashlib.sha256)[:20]).decode()


def _log_ins(identity: str, demo: JSON, secrets: Mapping[str, str]) -> Iterable[LogIn]:
    officers = identity == "employee_id"
    password = secrets["officer_password" if officers else "citizen_password"]
    for person in demo["employees" if officers else "citizens"]:
        credentials: list[JSON] = [{"type": "password", "value": password, "temporary": False}]
        if officers or person.get("one_time_code"):
            secret = json.dumps({"value": one_time_seed(secrets["totp_seed"], person["username"])})
            credentials.append({"type": "otp", "secretData": secret, "credentialData": json.dumps(AUTHENTICATOR)})
        yield LogIn(person["username"], {identity: [person[identity]]}, credentials)
