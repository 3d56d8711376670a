"""A browser's end of a stream of events."""

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

ACCEPT = {"Accept": "text/event-stream"}


@dataclass(frozen=True)
class Event:
    id: str
    name: str
    data: dict[str, Any]


class Stream:
    """Reads events one by one, within a time."""

    def __init__(self, lines):
        self._lines = lines
        self.last_event_id = ""

    async def next(self, name=""):
        """Give the next event, or the next of a name."""
        async with asyncio.timeout(10):
            while True:
                event = await self._event()
                if name in ("", event.name):
                    return event

    async def until(self, right):
        """Skip events until one is right."""
        while not right(event := await self.next()):
            pass
        return event

    async def _event(self):
        fields = {}
        async for line in self._lines:
            if not line and "data" in fields:
                self.last_event_id = fields["id"]
                return Event(fields["id"], fields["event"], json.loads(fields["data"]))
            if line and not line.startswith(":"):
                name, _, value = line.partition(": ")
                fields[name] = value
        raise EOFError


@asynccontextmanager
async def opened(office, name, last_event_id="", seconds=60):
    headers = ACCEPT | ({"Last-Event-ID": last_event_id} if last_event_id else {})
    async with (
        office.living.http(office.token(name)) as http,
        http.stream("GET", f"/v1/stream?seconds={seconds}", headers=headers, timeout=30) as answer,
    ):
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield Stream(answer.aiter_lines())
