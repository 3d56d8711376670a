"""The data key is changed while the house is at work: services with other keys than the runner's, and a crash."""

import asyncio
import base64
import json
import os
import secrets
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import asyncpg
import httpx

from attack.settings import SERVICES, Settings
from tools.runner.control import Control
from tools.runner.processes import signal_group, spawn

READY_WITHIN = 90
LEAVES_WITHIN = 20
HALFWAY_WITHIN = 60
SERVER_ERROR = 500
# the end of each service's own list of sealed columns: what lies here is sealed anew last
LAST = "idempotency"

type Database = asyncpg.Connection[asyncpg.Record]


class NotSealedAnew(Exception):
    """The command did not come to its end in these services."""


@dataclass(slots=True)
class Keys:
    """The data keys of every service, by key id."""

    by_service: dict[str, dict[str, str]]

    @classmethod
    def given(cls) -> "Keys":
        return cls({service: json.loads(os.environ[f"{service.upper()}_DATA_KEYS"]) for service in SERVICES})

    def with_new(self, key_id: str) -> "Keys":
        new = {service: base64.b64encode(secrets.token_bytes(32)).decode() for service in SERVICES}
        return Keys({service: {**keys, key_id: new[service]} for service, keys in self.by_service.items()})

    def without(self, key_id: str) -> "Keys":
        return Keys(
            {service: {each: key for each, key in keys.items() if each != key_id} for service, keys in self._each()}
        )

    def environment(self, service: str, current: str) -> dict[str, str]:
        prefix = service.upper()
        return {
            **os.environ,
            f"{prefix}_DATA_KEYS": json.dumps(self.by_service[service]),
            f"{prefix}_DATA_KEY": current,
        }

    def _each(self) -> list[tuple[str, dict[str, str]]]:
        return list(self.by_service.items())


@dataclass(slots=True)
class Traffic:
    """What people were told while the keys were changed."""

    restarting: bool = False
    statuses: Counter[int] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)

    def told(self, answer: httpx.Response, *, began_while_restarting: bool) -> None:
        self.statuses[answer.status_code] += 1
        # a service that is being started again is away for a moment, and says so
        away = (began_while_restarting or self.restarting) and answer.status_code != SERVER_ERROR
        if answer.status_code >= SERVER_ERROR and not away:
            self.broken.append(f"{answer.request.method} {answer.request.url.path}: {answer.text[:200]}")


class Rotation:
    """Services started with other keys than the runner would give them."""

    def __init__(self, settings: Settings, control: Control, traffic: Traffic) -> None:
        self._settings = settings
        self._control = control
        self._traffic = traffic
        self._running: dict[str, asyncio.subprocess.Process] = {}

    @asynccontextmanager
    async def taken_over(self, keys: Keys, back: str) -> AsyncIterator[None]:
        """For as long as the block lasts, the services are ours to start; then they are the runner's again.

        Whatever came of it, everything is brought back under the key that the runner knows.
        """
        await asyncio.gather(*(self._control.stop(service) for service in SERVICES))
        try:
            yield
        finally:
            self._traffic.restarting = True
            await self._end()
            codes = {service: await self.reseal(service, keys, back) for service in SERVICES}
            for service in SERVICES:
                await self._control.start(service)
            self._traffic.restarting = False
            if any(codes.values()):
                raise NotSealedAnew(codes)

    async def serve(self, keys: Keys, current: str) -> None:
        """Start every service anew with these keys."""
        self._traffic.restarting = True
        await self._end()
        for service in SERVICES:
            self._running[service] = await self._begin(service, keys.environment(service, current))
        await asyncio.gather(*(self._ready(service) for service in SERVICES))
        self._traffic.restarting = False

    async def reseal(self, service: str, keys: Keys, current: str) -> int:
        """Seal everything of a service anew; tell with which code the command ended."""
        process = await self._begin(service, keys.environment(service, current), "reseal")
        return await process.wait()

    async def crash(self, service: str, keys: Keys, current: str, held: Database) -> int:
        """Kill the command in the middle: somebody works on a row, so it cannot have come to its end."""
        async with held.transaction():
            await held.execute(f"SELECT FROM {LAST} WHERE answer IS NOT NULL LIMIT 1 FOR UPDATE")
            process = await self._begin(service, keys.environment(service, current), "reseal")

            async def begun() -> bool:
                return (await lying_under(held))[current] > 0

            await until(begun, within=HALFWAY_WITHIN)
            signal_group(process.pid, signal.SIGKILL)
            await process.wait()
            found = await lying_under(held)
            return found.total() - found[current]

    async def _begin(self, service: str, environment: dict[str, str], *command: str) -> asyncio.subprocess.Process:
        log = self._settings.tongban_instance_dir / "logs" / f"{service}.log"
        process = await spawn((sys.executable, "-m", f"{service}.main", *command), environment, log)
        assert isinstance(process, asyncio.subprocess.Process), "started, not forked"  # noqa: S101 - for the types
        return process

    async def _ready(self, service: str) -> None:
        url = f"http://127.0.0.1:{self._settings.ports[service]}/readyz"
        async with httpx.AsyncClient(trust_env=False, timeout=2) as http:

            async def answers() -> bool:
                try:
                    return (await http.get(url)).is_success
                except httpx.TransportError:
                    return False

            await until(answers, within=READY_WITHIN)

    async def _end(self) -> None:
        for process in self._running.values():
            signal_group(process.pid, signal.SIGTERM)
        for process in self._running.values():
            try:
                await asyncio.wait_for(process.wait(), LEAVES_WITHIN)
            except TimeoutError:
                signal_group(process.pid, signal.SIGKILL)
        self._running.clear()


async def until(true: Callable[[], Awaitable[bool]], within: float) -> None:
    """Look again and again."""
    async with asyncio.timeout(within):
        while not await true():  # noqa: ASYNC110 - what is awaited happens in other processes
            await asyncio.sleep(0.1)


async def lying_under(database: Database) -> Counter[str]:
    """How many values of a database lie under each key: a sealed value begins with the name of its key."""
    columns = await database.fetch(
        "select table_name, column_name from information_schema.columns"
        " where table_schema = 'public' and data_type = 'bytea'"
    )
    found: Counter[str] = Counter()
    for table, column in columns:
        counted = await database.fetch(
            f'select convert_from(substring("{column}" from 3 for 2), \'UTF8\'), count(*) from "{table}"'  # noqa: S608
            f" where substring(\"{column}\" from 1 for 3) = '\\x01026b' group by 1"
        )
        found.update(dict(counted))
    return found
