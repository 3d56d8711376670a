"""A backup of all that cannot be made anew: every database at one point in time, and the secrets that open them.

The broker's streams are not in it: relays publish again from the outboxes what a new stream lacks, and the inboxes, of
the same point in time, know what was handled. Nor are sessions: people log in again.
"""

import asyncio
import os
import shutil
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

from tools.runner.environment import external, postgres_admin_url
from tools.runner.instance import Instance, write_private
from tools.runner.refusals import BackupRefused
from tools.runner.toolbox import postgres_programs

DATABASES = "postgres"
SECRETS = "secrets.json"
# of another time than the databases: made anew, or lost without harm
STALE = ("nats", "redis")


async def back_up(instance: Instance, target: Path) -> None:
    """Copy the running databases into a new folder, all as they are at one moment."""
    if external("postgres"):
        raise BackupRefused("PostgreSQL is somebody else's: back it up there.")
    _make_folder(target)
    server = urlsplit(postgres_admin_url(instance))
    place = ("--host", str(server.hostname), "--port", str(server.port), "--username", str(server.username))
    how = ("--pgdata", str(target / DATABASES), "--wal-method=stream", "--checkpoint=fast", "--no-password")
    await _run("pg_basebackup", *place, *how, password=str(server.password))
    write_private(target / SECRETS, (instance.home / SECRETS).read_text())
    await check(target)


async def check(source: Path) -> None:
    """Refuse a backup that is not whole."""
    await _run("pg_verifybackup", "--quiet", str(source / DATABASES))


async def restore(instance: Instance, source: Path) -> None:
    """Put a backup in the place of what a stopped instance holds."""
    await check(source)
    secrets = (source / SECRETS).read_text()
    for name in (DATABASES, *STALE):
        shutil.rmtree(instance.data / name, ignore_errors=True)
    instance.data.mkdir(parents=True, exist_ok=True)
    await asyncio.to_thread(shutil.copytree, source / DATABASES, instance.data / DATABASES)
    (instance.data / DATABASES).chmod(0o700)
    instance.take_secrets(secrets)


def _make_folder(target: Path) -> None:
    try:
        target.mkdir(mode=0o700, parents=True)
    except FileExistsError:
        raise BackupRefused(f"{target} is there already; a backup goes into a new folder.") from None


async def _run(program: str, *arguments: str, password: str = "") -> None:
    process = await asyncio.create_subprocess_exec(
        postgres_programs() / program,
        *arguments,
        env={**os.environ, "PGPASSWORD": password},
        stdout=subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    _, errors = await process.communicate()
    if process.returncode:
        raise BackupRefused(f"{program} failed:\n{errors.decode(errors='replace')}")
