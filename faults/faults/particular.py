"""Points that one program alone has: what it leaves outside by a way of its own.

Imported in that program's own process, before it begins.
"""

import sqlite3
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from functools import partial
from typing import Any

from faults.points import Points, patch

# of Redis's commands those that change something; reading leaves no trace
WRITES = frozenset({"SET", "GETEX", "GETDEL", "SADD", "SREM", "DEL", "EXPIRE", "EVALSHA"})
# what the departments' system takes
TAKEN = ("_given", "_asked", "_ended")

_request: ContextVar[Any] = ContextVar("request")


def accounts(points: Points) -> None:
    """What is told to the log-in server."""
    from accounts.clients.keycloak import Administration  # noqa: PLC0415 - in this one service's process alone

    patch(Administration, "let_in", lambda do: points.around(do, "call", lambda *_: ["keycloak let_in"]))
    patch(Administration, "relink", lambda do: points.around(do, "call", lambda *_: ["keycloak relink"]))


def orchestration(points: Points) -> None:
    """Calls to departments' own systems."""
    from orchestration.clients.departments import Departments  # noqa: PLC0415 - the same

    def named(_: object, method: str, url: str, *__: object) -> list[str]:
        # where the case stands in the address is a name of its own
        return [f"{method} department/{url.rpartition('/')[2] if method == 'POST' else 'case'}"]

    patch(Departments, "_call", lambda do: points.around(do, "call", named))


def gateway(points: Points) -> None:
    """What is written of sessions, what is asked of Keycloak and of services, and what is answered to a change."""
    from gateway.door import Door  # noqa: PLC0415 - the same
    from gateway.proxy import Proxy  # noqa: PLC0415 - the same
    from gateway.tokens import Keycloak  # noqa: PLC0415 - the same
    from redis.asyncio import Redis  # noqa: PLC0415 - the same
    from redis.asyncio.client import Pipeline  # noqa: PLC0415 - the same

    def together(pipe: Any, *_: object) -> list[str]:
        written = [each for words, _ in pipe.command_stack for each in _written(None, *words)]
        return [" + ".join(written)] if written else []

    patch(Redis, "execute_command", lambda do: points.around(do, "session", _written))
    patch(Pipeline, "execute", lambda do: points.around(do, "session", together))
    patch(Keycloak, "_ask", lambda do: points.around(do, "call", _asked_of_keycloak))
    patch(Proxy, "_ask", lambda do: points.around(do, "call", _asked_of_service))
    patch(Door, "_request", _noting)
    patch(Door, "__call__", lambda do: _answering(do, points))


def department(points: Points) -> None:
    """Calls that are taken, what is saved of them, what is answered and what is called back."""
    from aiohttp import web  # noqa: PLC0415 - the same
    from demo.department import Department  # noqa: PLC0415 - the same

    class Saving(sqlite3.Connection):
        """A point before and one after each statement that writes."""

        def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
            what = sql.partition(" where")[0].partition(" values")[0] if sql.startswith(("insert", "update")) else ""
            if what:
                points.passed("before save", what)
            done = super().execute(sql, *values)
            if what:
                points.passed("after save", what)
            return done

    def handled(response: Any, *_: object) -> list[str]:
        name = response._req.match_info.handler.__name__  # noqa: SLF001 - where the answer goes
        return [name.removeprefix("_")] if name in TAKEN else []

    patch(sqlite3, "connect", lambda connect: lambda file, **how: connect(file, factory=Saving, **how))
    for name in TAKEN:
        patch(Department, name, partial(_taking, points, name.removeprefix("_")))
    patch(web.Response, "write_eof", lambda do: points.around(do, "answer", handled))
    patch(Department, "_call_back", lambda do: points.around(do, "call", lambda *_: ["callback"]))


def _taking(points: Points, name: str, do: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """Before anything is done about a call; what comes after is its answer."""

    async def taking(self: Any, request: Any) -> Any:
        points.passed("before taking", name)
        return await do(self, request)

    # by its name the answer is known
    taking.__name__ = f"_{name}"
    return taking


def _written(_: object, command: str, *arguments: Any, **__: Any) -> list[str]:
    """A command by what it does to which kind of key; a script by all of its keys."""
    if command not in WRITES:
        return []
    keys = arguments[2 : 2 + int(arguments[1])] if command == "EVALSHA" else arguments[:1]
    kinds = "+".join(key.partition(":")[0] for key in keys)
    return [f"{command} {kinds}"]


def _asked_of_keycloak(_: object, __: str, endpoint: str, form: Any) -> list[str]:
    return [f"keycloak {form.get('grant_type', endpoint)}"]


def _asked_of_service(_: object, call: Any, *__: object, **___: object) -> list[str]:
    return [f"{call.method} {call.destination.service}"]


def _noting(begin: Callable[..., Any]) -> Callable[..., Any]:
    def noting(self: Any, *told: Any) -> Any:
        request = begin(self, *told)
        _request.set(request)
        return request

    return noting


def _answering(do: Callable[..., Awaitable[None]], points: Points) -> Callable[..., Awaitable[None]]:
    """A point before the first and after the last byte of each answer to a change, and of each step of a log-in."""

    async def answering(self: Any, scope: Any, receive: Any, send: Any) -> None:
        async def sending(message: Any) -> None:
            request = _request.get(None)
            names = [request.verb] if request and (request.method != "GET" or "log_in" in request.verb) else []
            for name in names:
                if message["type"] == "http.response.start":
                    points.passed("before answer", name)
            await send(message)
            for name in names:
                if message["type"] == "http.response.body" and not message.get("more_body"):
                    points.passed("after answer", name)

        await do(self, scope, receive, sending)

    return answering


PLACES = {"accounts": accounts, "orchestration": orchestration, "gateway": gateway, "department": department}
