"""What browsers are told while they are open: server-sent events, resumable by Last-Event-ID."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, suppress
from typing import Annotated, Any

import orjson
from common.auth import Actor
from common.errors import Invalid
from common.web import Readiness, may
from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from workbench.api.access import HubDep
from workbench.api.messages import READ_MESSAGE
from workbench.domain.message import Place
from workbench.usecases.hub import News, Tab

router = APIRouter(prefix="/v1")

MayReadMessage = Annotated[Actor, may(READ_MESSAGE)]

EVENT_STREAM = "text/event-stream"
# After this the browser comes again, and is asked again who it is.
LONGEST = 300
_HEARTBEAT = 10.0
_LOOK = 0.5
_SEND_WITHIN = 10.0


class EventStreamNotAccepted(Invalid):
    """A stream is only for those who accept text/event-stream."""


class EventStream(StreamingResponse):
    """A stream that a reader who takes nothing does not hold open."""

    media_type = EVENT_STREAM

    async def stream_response(self, send: Send) -> None:
        async def hurried(message: Message) -> None:
            async with asyncio.timeout(_SEND_WITHIN):
                await send(message)

        await super().stream_response(hurried)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send until the reader leaves, or takes nothing any more."""
        with suppress(TimeoutError):
            await super().__call__(scope, receive, send)


@router.get("/stream", response_class=EventStream)
async def open_stream(
    *,
    request: Request,
    hub: HubDep,
    actor: MayReadMessage,
    last_event_id: Annotated[str, Header(max_length=100)] = "",
    seconds: Annotated[int, Query(ge=1, le=LONGEST)] = LONGEST,
) -> EventStream:
    if EVENT_STREAM not in request.headers.get("accept", ""):
        raise EventStreamNotAccepted
    hub.check_room(actor)
    tab = Tab()
    told = hub.news(tab, actor, last_event_id)
    return EventStream(_events(told, tab, request.app.state.readiness, seconds))


async def _events(
    told: AsyncGenerator[tuple[Place, News]], tab: Tab, readiness: Readiness, seconds: int
) -> AsyncIterator[bytes]:
    """Write the events, and a heartbeat while there are none, until the stream's time is over."""
    clock = asyncio.get_running_loop().time
    ends_at = clock() + seconds
    beat_at = clock() + _HEARTBEAT
    yield b"retry: 1000\n\n"
    coming: asyncio.Future[Any] | None = None
    async with aclosing(told):
        try:
            while clock() < ends_at and not readiness.draining:
                coming = coming or asyncio.ensure_future(anext(told, None))
                done, _ = await asyncio.wait([coming], timeout=_LOOK)
                if done:
                    event, coming = coming.result(), None
                    if event is None:
                        return
                    yield _written(*event)
                elif tab.is_lost:
                    return
                elif clock() >= beat_at:
                    yield b": beat\n\n"
                else:
                    continue
                beat_at = clock() + _HEARTBEAT
        finally:
            if coming is not None:
                coming.cancel()
                await asyncio.wait([coming])


def _written(place: Place, news: News) -> bytes:
    told = news.delivery or {"unread": news.unread, "todos": news.todos}
    name = b"message" if news.delivery else b"counts"
    return b"id: %b\nevent: %b\ndata: %b\n\n" % (str(place).encode(), name, orjson.dumps(told, default=str))
