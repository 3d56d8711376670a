"""DBOS Transact with the same statements, as far as the house's Python goes: takes them down and hands them over.

What `bench.contenders.same` carries out is written to a file for it, because it runs in DBOS's own environment.
"""

import argparse
import asyncio
import os
import pickle
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import uvloop

from bench.contenders import raw, servers
from bench.contenders.form import WARM_UP
from bench.contenders.taken import Done
from bench.environment import python_with_dbos

type Effects = dict[tuple[str, str], Done]


def flat(value: Any) -> set[str]:
    if isinstance(value, list | tuple):
        return {found for each in value for found in flat(each)}
    return {str(value)}


def told(step: Done, effects: Effects) -> list[tuple[str, str]]:
    """The deliveries of the facts that a transaction writes."""
    values = {found for _, arguments in step for found in flat(arguments)}
    return [(durable, fact) for durable, fact in effects if fact in values]


async def prepared(filings: int) -> dict[str, object]:
    """Each filing: its transactions, and after each what is delivered, by an id of its own."""
    steps, effects, _ = await raw.take_down()
    deliveries = [told(step, effects) for step in steps]
    if sorted(each for some in deliveries for each in some) != sorted(effects):
        raise RuntimeError("each delivery must follow from one transaction")
    made: list[list[tuple[list[Any], dict[str, list[Any]]]]] = []
    for serial in range(1, filings + WARM_UP + 1):
        copy = raw.Copy(serial)
        made.append(
            [
                (
                    copy.statements(step),
                    {f"{durable}/{copy.id(fact)}": copy.statements(effects[durable, fact]) for durable, fact in some},
                )
                for step, some in zip(steps, deliveries, strict=True)
            ]
        )
    return {"urls": {name: servers.url(name) for name in ("orchestration", "workbench")}, "filings": made}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("result", type=Path)
    parser.add_argument("--filings", type=int, default=40)
    arguments = parser.parse_args()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner, tempfile.TemporaryDirectory() as folder:
        statements = Path(folder) / "statements"
        statements.write_bytes(pickle.dumps(runner.run(prepared(arguments.filings))))
        subprocess.run(
            (python_with_dbos(), "-m", "bench.contenders.same", str(arguments.result), str(statements)),
            env={**os.environ, "BENCH_DATABASE": runner.run(servers.empty("dbos"))},
            check=True,
        )


if __name__ == "__main__":
    main()
