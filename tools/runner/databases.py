"""One database and one role per service; made when missing, brought up to date when there."""

import asyncio
import logging
import subprocess
from pathlib import Path

import asyncpg

from tools.runner.environment import database_name, database_url, postgres_admin_url
from tools.runner.instance import RUN, SERVICES, Instance, write_private
from tools.runner.refusals import StartFailed
from tools.runner.toolbox import postgres_programs
from tools.versions import KEYCLOAK

log = logging.getLogger("runner")

OWNERS = (*SERVICES, "keycloak")


async def make(instance: Instance) -> None:
    """Make what is missing; existing roles get the password of our secrets."""
    connection = await asyncpg.connect(postgres_admin_url(instance))
    try:
        for owner in OWNERS:
            await _make_one(connection, instance, owner)
    finally:
        await connection.close()


async def is_empty(instance: Instance, owner: str) -> bool:
    connection = await asyncpg.connect(database_url(instance, owner, scheme="postgresql"))
    try:
        return not await connection.fetchval("SELECT true FROM pg_tables WHERE schemaname = 'public' LIMIT 1")
    finally:
        await connection.close()


async def _make_one(connection: asyncpg.Connection, instance: Instance, owner: str) -> None:
    name = database_name(instance, owner)
    # generated from letters, digits, - and _ only: nothing in it can end the literal
    password = instance.secrets[f"{owner}_database_password"]
    role_exists = await connection.fetchval("SELECT true FROM pg_roles WHERE rolname = $1", name)
    verb = "ALTER" if role_exists else "CREATE"
    await connection.execute(f"{verb} ROLE \"{name}\" LOGIN PASSWORD '{password}'")
    if await connection.fetchval("SELECT true FROM pg_database WHERE datname = $1", name):
        return
    await connection.execute(f'CREATE DATABASE "{name}" OWNER "{name}"')
    await connection.execute(f'REVOKE CONNECT ON DATABASE "{name}" FROM PUBLIC')


class KeycloakTemplate:
    """Keycloak's freshly initialised database, kept so that throw-away instances need not wait for it again.

    It holds the secret of the administrator's client, so both travel together. An instance that people use makes its
    own.
    """

    def __init__(self) -> None:
        self.dump = RUN / "tools" / "keycloak" / f"{KEYCLOAK}.dump"
        self.secret = RUN / "tools" / "keycloak" / f"{KEYCLOAK}.secret"

    async def restore(self, instance: Instance) -> bool:
        if not (self.dump.exists() and self.secret.exists()):
            return False
        url = database_url(instance, "keycloak", scheme="postgresql")
        options = ("--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction")
        await _run(postgres_programs() / "pg_restore", *options, "--dbname", url, str(self.dump))
        instance.keep_secret("keycloak_admin_secret", self.secret.read_text())
        return True

    async def save(self, instance: Instance) -> None:
        url = database_url(instance, "keycloak", scheme="postgresql")
        fresh = self.dump.with_suffix(f".{instance.name}")
        await _run(postgres_programs() / "pg_dump", "--format=custom", "--file", str(fresh), url)
        fresh.chmod(0o600)
        write_private(self.secret, instance.secrets["keycloak_admin_secret"])
        fresh.replace(self.dump)


async def _run(program: Path, *arguments: str) -> None:
    process = await asyncio.create_subprocess_exec(
        program, *arguments, stdout=subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
    )
    _, errors = await process.communicate()
    if process.returncode:
        raise StartFailed(f"{program.name} failed:\n{errors.decode(errors='replace')}")
