"""A small real server behind the listener."""

import asyncio
import socket

import listening
import pytest
import uvicorn


async def told(scope, receive, send):
    """Swallow the body, then say how long it was."""
    assert scope["type"] == "http"
    size, more = 0, True
    while more:
        message = await receive()
        size += len(message.get("body", b""))
        more = message.get("more_body", False)
    body = str(size).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})


@pytest.fixture(scope="session")
async def port():
    config = uvicorn.Config(told, http=listening.Listener, ws="none", lifespan="off", log_config=None)
    server = uvicorn.Server(config)
    bound = socket.create_server(("127.0.0.1", 0))
    serving = asyncio.create_task(server.serve([bound]))
    while not server.started:  # noqa: ASYNC110 - it tells in no other way
        await asyncio.sleep(0.01)
    yield bound.getsockname()[1]
    server.should_exit = True
    await serving


@pytest.fixture
def hurried(monkeypatch):
    """Everything a hundred times faster."""
    for name in ("HEAD_WITHIN", "GRACE", "LOOK"):
        monkeypatch.setattr(listening, name, getattr(listening, name) / 50)
    monkeypatch.setattr(listening, "SLOWEST", listening.SLOWEST * 50)
