"""A service as it is, except that it dies (SIGKILL of itself) at one named point:

python -m faults.crashpoints orchestration.main

`TONGBAN_CRASH_AT` names the point, such as `after commit orchestration.run_calls`; `TONGBAN_CRASH_NOTES` is a file that
gets each point's name when it is first passed. No service knows of this: the points are put around the few functions
through which everything that leaves a trace must go, in the service's own process, before it begins.
"""

import importlib
import os
import runpy
import sys
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Any

from common import relay, rpc, transaction
from common.bus import Bus
from common.web.serving import Serving
from nats.aio.msg import Msg

from faults.particular import PLACES
from faults.points import AT, NOTES, Points, patch

WROTE = "select pg_current_xact_id_if_assigned() is not null"

_doing: ContextVar[str] = ContextVar("doing", default="")


def place(points: Points) -> None:
    """Put the points around what all services have in common."""
    _name_what_commits()
    patch(transaction, "_commit", lambda do: _committing(do, points))
    patch(Bus, "publish_batch", lambda do: points.around(do, "publish", lambda _, letters: map(_kind, letters)))
    patch(Msg, "ack", lambda do: points.around(do, "ack", lambda message: [message.metadata.consumer]))
    patch(rpc, "call", lambda do: points.around(do, "call", lambda _, request, **__: [type(request).__name__]))
    patch(Serving, "__init__", lambda do: _answering(do, points))


def _committing(commit: Callable[[Any], Awaitable[None]], points: Points) -> Callable[[Any], Awaitable[None]]:
    """Points around what changes or holds a row; of the others nothing could be lost."""

    async def committing(driver: Any) -> None:
        what = _doing.get() if await driver.fetchval(WROTE) else ""
        if what:
            points.passed("before commit", what)
        await commit(driver)
        if what:
            points.passed("after commit", what)

    return committing


def _kind(letter: Any) -> str:
    return str(letter.headers["ce-type"]).rpartition(".")[2]


def _name_what_commits() -> None:
    """What commits is known by the route of its actor, the relay by what it does."""
    patch(transaction.Transaction, "flush", _flushing)
    patch(relay.Relay, "publish", lambda do: _doing_as("relay.publish", do))
    patch(relay.Relay, "check", lambda do: _doing_as("relay.check", do))


def _flushing(flush: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    async def flushing(unit: Any, *, last: bool = False) -> None:
        if last:
            _doing.set(unit.actor.call.route)
        await flush(unit, last=last)

    return flushing


def _doing_as(name: str, do: Callable[[Any], Awaitable[Any]]) -> Callable[[Any], Awaitable[Any]]:
    async def doing(relay: Any) -> Any:
        _doing.set(name)
        return await do(relay)

    return doing


def _answering(init: Callable[..., None], points: Points) -> Callable[..., None]:
    """A point before the first and after the last byte of each answer to a change."""

    def opening(self: Any, app: Any) -> None:
        async def answering(scope: Any, receive: Any, send: Any) -> None:
            changes = scope["type"] == "http" and scope["method"] not in ("GET", "HEAD", "OPTIONS")

            async def sending(message: Any) -> None:
                name = getattr(scope.get("route"), "name", "")
                if changes and name and message["type"] == "http.response.start":
                    points.passed("before answer", name)
                await send(message)
                if changes and name and message["type"] == "http.response.body" and not message.get("more_body"):
                    points.passed("after answer", name)

            await app(scope, receive, sending)

        init(self, answering)

    return opening


def main() -> None:
    module = sys.argv[1]
    points = Points(os.environ.get(AT, ""), os.environ.get(NOTES, ""))
    place(points)
    if particular := PLACES.get(module.removeprefix("demo.").removesuffix(".main")):
        particular(points)
    sys.argv = [module]
    if module == "demo.department":
        # run as a program it would be another module than the one that has the points
        importlib.import_module(module).main()
    else:
        runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
