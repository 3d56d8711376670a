"""One running copy of the house: its folder, its block of ports, its secrets."""

import base64
import hashlib
import json
import os
import re
import secrets
import shutil
import tempfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tools.runner.ports import OFFSETS

ROOT = Path(__file__).resolve().parents[2]
RUN = Path(os.environ.get("TONGBAN_RUN_DIR") or ROOT / ".run")

SERVICES = ("accounts", "verification", "orchestration", "workbench", "gateway")
# who asks Keycloak for a token of its own
# the demo's departments call back with tokens of their own
DEPARTMENTS = ("department-cdc", "department-human-resources")
CLIENTS = (*SERVICES, "demo-loader", *DEPARTMENTS, "department-sandbox")
# Linux allows 108 bytes, macOS 104, the closing zero included
SOCKET_PATH_LIMIT = 100

Secrets = dict[str, str]


@dataclass(frozen=True)
class Instance:
    name: str
    base: int

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z][a-z0-9-]{0,30}", self.name) or self.name == "tools":
            raise ValueError(f"{self.name!r} cannot name an instance: small letters, digits and dashes only")

    @property
    def home(self) -> Path:
        return RUN / self.name

    @property
    def data(self) -> Path:
        return self.home / "data"

    @property
    def logs(self) -> Path:
        return self.home / "logs"

    @property
    def control(self) -> Path:
        return socket_path(self.home / "control.sock")

    def port(self, part: str) -> int:
        return self.base + OFFSETS[part]

    @cached_property
    def secrets(self) -> Secrets:
        """Generated once; names added by a newer version are filled in."""
        file = self.home / "secrets.json"
        kept: Secrets = json.loads(file.read_text()) if file.exists() else {}
        known = {**generate_secrets(), **kept}
        if known != kept:
            self.make_folders()
            write_private(file, json.dumps(known, indent=1))
        return known

    def keep_secret(self, name: str, value: str) -> None:
        self.secrets[name] = value
        write_private(self.home / "secrets.json", json.dumps(self.secrets, indent=1))

    def take_secrets(self, kept: str) -> None:
        """Another instance's secrets, with its data."""
        write_private(self.home / "secrets.json", kept)
        self.__dict__.pop("secrets", None)

    def make_folders(self) -> None:
        for folder in (self.home, self.data, self.logs):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def forget(self) -> None:
        """Everything this instance knew: data, logs, secrets. The lock stays: whoever forgets holds it."""
        for each in self.home.iterdir():
            if each.is_dir():
                shutil.rmtree(each)
            elif each.name != "lock":
                each.unlink()
        self.__dict__.pop("secrets", None)


def generate_secrets() -> Secrets:
    """All that must not be guessed and never stands in the repository."""
    passwords = {f"{role}_database_password": _password() for role in (*SERVICES, "keycloak", "postgres")}
    passwords |= {f"{service}_nats_password": _password() for service in SERVICES}
    keys = {f"{service}_{kind}": _key() for service in SERVICES for kind in ("data_key", "index_key")}
    clients = {f"{client}_client_secret": _password() for client in CLIENTS}
    return {
        **passwords,
        **keys,
        **clients,
        "nats_password": _password(),
        "redis_password": _password(),
        "keycloak_admin_secret": _password(),
        "session_key": _key(),
        "gateway_client_key": _private_key(),
        "orchestration_signing_key": _private_key(),
        **{f"{department}_signing_key": _private_key() for department in DEPARTMENTS},
        "citizen_password": _password(),
        "officer_password": _password(),
        # the demo officers' one-time codes, as an authenticator app takes it
        "totp_seed": base64.b32encode(secrets.token_bytes(20)).decode(),
    }


def write_private(file: Path, text: str) -> None:
    """Readable by its owner only, from the first byte on; replaced whole."""
    fresh = file.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(text)
    fresh.replace(file)


def socket_path(wanted: Path) -> Path:
    """The operating system limits how long a socket's path may be; a deep checkout gets one elsewhere."""
    if len(os.fsencode(wanted)) <= SOCKET_PATH_LIMIT:
        return wanted
    digest = hashlib.sha256(os.fsencode(wanted)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"tongban-{os.getuid()}-{digest}.sock"


def _password() -> str:
    # Keycloak wants a digit, a capital and a small letter; chance alone forgets one of them now and then
    return f"{secrets.token_urlsafe(24)}{secrets.randbelow(10)}Aa"


def _key() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()


def _private_key() -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
