"""Looks for people's data and secrets in every place where none may lie in the clear."""

import json
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import nats
from nats.js import JetStreamContext
from nats.js.errors import NotFoundError
from redis.asyncio import Redis

from attack import traces
from attack.settings import SERVICES, Settings
from demo import city, newborn

# three parts of a signed token, and the head of a private key
TOKEN = re.compile(rb"eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}|-----BEGIN [A-Z ]*PRIVATE KEY")
SHORTEST_SECRET = 16
BATCH = 200
# what a server of others keeps by its own rules: Keycloak's log names a user, PostgreSQL's a statement's shape
OWN_LOGS = (*SERVICES, "gateway", "department", "nats", "redis", "postgres", "keycloak")


@dataclass(frozen=True, slots=True)
class Found:
    """Something that should not be there; the thing itself is not told again."""

    place: str
    what: str

    def __str__(self) -> str:
        return f"{self.place}: {self.what}"


class Needles:
    """What is looked for: the demo people's own, and the house's secrets."""

    def __init__(self, secrets: Mapping[str, str]) -> None:
        self._plain: dict[bytes, str] = {}
        for person in (*city.citizens(), *city.children()):
            who = person.get("username", "a child")
            for name in ("name", "id_number", "phone"):
                if name in person:
                    self._plain[person[name].encode()] = f"{name} of {who}"
        for name in ("household_address", "bank_account", "child_name"):
            self._plain[newborn.form(0)[name].encode()] = f"{name} of a form"
        for name, secret in secrets.items():
            if len(secret) >= SHORTEST_SECRET:
                self._plain[secret.encode()] = f"the secret {name}"
        self._hidden = {needle.hex().encode(): what for needle, what in self._plain.items()}

    @classmethod
    def of(cls, settings: Settings) -> "Needles":
        """Those of the house that runs here."""
        return cls(json.loads((settings.tongban_instance_dir / "secrets.json").read_text(encoding="utf-8")))

    def in_bytes(self, place: str, content: bytes) -> Iterator[Found]:
        """Everything that is in the clear, or merely spelt in hexadecimal."""
        for needles in (self._plain, self._hidden):
            for needle, what in needles.items():
                if needle in content:
                    yield Found(place, what)
        if TOKEN.search(content):
            yield Found(place, "a token or a private key")


async def everywhere(settings: Settings, public_url: str, needles: Needles) -> list[Found]:
    """All places, each kind of finding once for a place."""
    found: dict[Found, None] = {}
    for place, content in _logs(settings.tongban_instance_dir / "logs"):
        found |= dict.fromkeys(needles.in_bytes(place, content))
    for places in (_metrics(settings, public_url), _redis(settings), _streams(settings), _tables(settings)):
        async for place, content in places:
            found |= dict.fromkeys(needles.in_bytes(place, content))
    return list(found)


def _logs(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(folder.iterdir()):
        if path.name.partition(".")[0] in OWN_LOGS:
            yield f"log {path.name}", path.read_bytes()


async def _metrics(settings: Settings, public_url: str) -> AsyncIterator[tuple[str, bytes]]:
    urls = {name: f"http://127.0.0.1:{port}" for name, port in settings.ports.items()} | {"gateway": public_url}
    async with httpx.AsyncClient(trust_env=False) as http:
        for name, url in urls.items():
            yield f"metrics of {name}", (await http.get(f"{url}/metrics")).content


async def _redis(settings: Settings) -> AsyncIterator[tuple[str, bytes]]:
    redis: Any = Redis.from_url(settings.tongban_redis_url)
    try:
        async for key in redis.scan_iter():
            kind = key.partition(b":")[0].decode()
            read = {b"string": redis.get, b"hash": redis.hgetall, b"set": redis.smembers, b"stream": redis.xrange}
            yield f"redis {kind}", repr((key, await read[await redis.type(key)](key))).encode()
            yield f"redis {kind}", await redis.dump(key) or b""
    finally:
        await redis.aclose()


async def _streams(settings: Settings) -> AsyncIterator[tuple[str, bytes]]:
    client = await nats.connect(settings.tongban_nats_url)
    try:
        js = client.jetstream()
        for stream in await js.streams_info():
            name = stream.config.name or ""
            async for content in _messages(js, name, stream.state.first_seq, stream.state.last_seq):
                yield f"stream {name}", content
    finally:
        await client.close()


async def _messages(js: JetStreamContext, stream: str, first: int, last: int) -> AsyncIterator[bytes]:
    for seq in range(first, last + 1):
        try:
            message = await js.get_msg(stream, seq)
        except NotFoundError:
            continue
        yield repr(message.headers).encode() + b"\n" + (message.subject or "").encode() + b"\n" + (message.data or b"")


async def _tables(settings: Settings) -> AsyncIterator[tuple[str, bytes]]:
    async with traces.opened(settings, (*SERVICES, "gateway")) as databases:
        for name, database in databases.items():
            tables = await database.fetch("select tablename from pg_tables where schemaname = 'public'")
            for (table,) in tables:
                # each column on its own tells where; bytes are spelt in hexadecimal by PostgreSQL
                async with database.transaction():
                    query = f'select row_to_json(t)::text from "{table}" t'  # noqa: S608 - a name of the catalogue
                    async for row in database.cursor(query, prefetch=BATCH):
                        yield f"{name}.{table}", row[0].encode()
