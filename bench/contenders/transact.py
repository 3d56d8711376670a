"""DBOS Transact doing eight steps per workflow: hand-in and seven decisions, each one row and one checkpoint.

It runs in an environment of its own (`bench.environment`): the house does not depend on it.
"""

import argparse
import asyncio
import json
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

import psycopg
import psycopg_pool
from dbos import DBOS, DBOSConfig

from bench import meter
from bench.contenders.form import FORM, WARM_UP
from tools.runner.control import Control

THREADS = 16
STEPS = 8
DECIDE = "insert into decided (filing, step, form) values (%s, %s, %s)"
_pools: list[psycopg_pool.ConnectionPool] = []


@DBOS.step()
def decide(filing: int, step: int, form: dict[str, str]) -> dict[str, object]:
    with _pools[0].connection() as connection:
        connection.execute(DECIDE, (filing, step, json.dumps(form)))
    return {"filing": filing, "step": step, "status": "approved"}


@DBOS.workflow()
def lifecycle(filing: int, form: dict[str, str]) -> int:
    return len([decide(filing, step, form) for step in range(STEPS)])


@contextmanager
def launched(url: str) -> Iterator[None]:
    config: DBOSConfig = {
        "name": "bench",
        "system_database_url": url,
        "sys_db_pool_size": THREADS,
        "log_level": "WARNING",
        "run_admin_server": False,
    }
    DBOS(config=config)
    DBOS.launch()
    try:
        yield
    finally:
        DBOS.destroy()


def measured(filings: int, work: Callable[[], None]) -> dict[str, object]:
    """What so many filings take."""
    control = Control.from_environment()
    before, own, begun = asyncio.run(meter.by_part(control)), time.process_time(), time.perf_counter()
    work()
    seconds = time.perf_counter() - begun
    after = asyncio.run(meter.by_part(control))
    cpu = {
        "loop": 1000 * (time.process_time() - own) / filings,
        "postgres": 1000 * (after["postgres"] - before["postgres"]) / filings,
    }
    return {
        "filings": filings,
        "filings_per_second": round(filings / seconds, 2),
        "cpu_ms_per_filing": {name: round(each, 2) for name, each in cpu.items()}
        | {"all": round(sum(cpu.values()), 2)},
        "dbos": version("dbos"),
    }


def measure(filings: int, url: str) -> dict[str, object]:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("create table decided (filing int, step int, form jsonb, primary key (filing, step))")
    with (
        launched(url),
        psycopg_pool.ConnectionPool(url, min_size=THREADS, max_size=THREADS, open=True) as pool,
        ThreadPoolExecutor(THREADS) as threads,
    ):
        _pools.append(pool)

        def several(serials: range) -> None:
            done = list(threads.map(lambda serial: lifecycle(serial, FORM), serials))
            if done != [STEPS] * len(serials):
                raise RuntimeError("a workflow did not do its steps")

        several(range(WARM_UP))
        found = measured(filings, lambda: several(range(1000, 1000 + filings)))
    return {**found, "steps_per_filing": STEPS}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("result", type=Path)
    parser.add_argument("--filings", type=int, default=40)
    arguments = parser.parse_args()
    arguments.result.write_text(json.dumps(measure(arguments.filings, os.environ["BENCH_DATABASE"])))


if __name__ == "__main__":
    main()
