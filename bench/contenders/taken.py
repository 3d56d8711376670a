"""Takes down every statement that a service sends to PostgreSQL, by transaction and with its arguments."""

import pickle
import runpy
import sys
from pathlib import Path
from typing import Any

import asyncpg
from asyncpg.prepared_stmt import PreparedStatement
from common import consumer

type Statement = tuple[str, tuple[Any, ...]]
type Done = list[Statement]

# one fact, one transaction: then it can be told which statements a fact needs
consumer.BATCH = 1
done: list[Done] = []
_open: dict[int, Done] = {}


def _note(connection: Any, query: str, arguments: tuple[Any, ...]) -> None:
    match query:
        case "begin":
            _open[id(connection)] = []
        case "commit":
            done.append(_open.pop(id(connection), []))
        case "rollback":
            _open.pop(id(connection), None)
        case _ if id(connection) in _open:
            _open[id(connection)].append((query, arguments))


def _watch(kind: type, name: str) -> None:
    original = getattr(kind, name)

    async def watched(self: Any, *arguments: Any, **more: Any) -> Any:
        given = await original(self, *arguments, **more)
        if kind is PreparedStatement:
            _note(self._connection, self._query, arguments)
        elif name == "executemany":
            for each in arguments[1]:
                _note(self, arguments[0], tuple(each))
        else:
            _note(self, arguments[0], arguments[1:])
        return given

    setattr(kind, name, watched)


def watch() -> None:
    for name in ("execute", "fetch", "fetchrow", "fetchval", "executemany"):
        _watch(asyncpg.Connection, name)
    for name in ("fetch", "fetchrow", "fetchval"):
        _watch(PreparedStatement, name)


def main() -> None:
    """Run a service as its own command line would, and leave what it sent in a file."""
    result, module, *arguments = sys.argv[1:]
    watch()
    sys.argv = [module, *arguments]
    try:
        runpy.run_module(module, run_name="__main__")
    finally:
        Path(result).write_bytes(pickle.dumps(done))


if __name__ == "__main__":
    main()
