"""DBOS Transact carrying out what ours writes: a step per transaction, and a queued workflow per delivery of a fact.

DBOS's queue stands in for outbox, relay, stream and inbox: a delivery's workflow has the id of consumer and fact, so
that it is carried out once.
"""

import argparse
import json
import os
import pickle
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import psycopg_pool
from dbos import DBOS, SetWorkflowID
from psycopg.types.json import set_json_loads

from bench.contenders.form import WARM_UP
from bench.contenders.transact import THREADS, launched, measured

QUEUE = "deliveries"
# as many connections to each database as the others have, so that WARM_UP is as long for them
CONNECTIONS = 8
# The default of a second would be most of what a short run takes, and what one look takes must not bound the rate.
POLLED = 0.05
AT_ONCE = 64
WITHIN = 120
_pools: dict[str, psycopg_pool.ConnectionPool] = {}
_filings: list[list[tuple[list[Any], dict[str, list[Any]]]]] = []


def carry_out(service: str, statements: list[Any]) -> None:
    """All of them in one transaction, again when another consumer held what it needs."""
    while True:
        try:
            with _pools[service].connection() as connection:
                for query, arguments in statements:
                    cursor = connection.execute(query, arguments)
                    if cursor.description:
                        cursor.fetchall()
        except psycopg.errors.DeadlockDetected:
            continue
        return


@DBOS.step()
def act(serial: int, place: int) -> None:
    carry_out("orchestration", _filings[serial][place][0])


@DBOS.step()
def effect(serial: int, place: int, delivery: str) -> None:
    carry_out(delivery.partition("-")[0], _filings[serial][place][1][delivery])


@DBOS.workflow()
def deliver(serial: int, place: int, delivery: str) -> None:
    effect(serial, place, delivery)


@DBOS.workflow()
def carry_through(serial: int) -> None:
    for place, (_, deliveries) in enumerate(_filings[serial]):
        act(serial, place)
        for delivery in deliveries:
            with SetWorkflowID(delivery):
                DBOS.enqueue_workflow(QUEUE, deliver, serial, place, delivery)


def several(threads: ThreadPoolExecutor, serials: range) -> None:
    """Until the last delivery's workflow is done."""
    list(threads.map(carry_through, serials))
    until = time.monotonic() + WITHIN
    while DBOS.list_workflows(status=["ENQUEUED", "PENDING"], limit=1):
        if time.monotonic() > until:
            raise RuntimeError(f"not within {WITHIN} s: every fact is delivered")
        time.sleep(0.05)
    if failed := DBOS.list_workflows(status="ERROR", limit=1):
        raise RuntimeError(f"a workflow failed: {failed[0].error}")


def _plain(connection: psycopg.Connection[Any]) -> None:
    # JSON stays text, as with the others
    set_json_loads(bytes, connection)


def measure(statements: dict[str, Any], url: str) -> dict[str, object]:
    _filings.extend(statements["filings"])
    filings = len(_filings) - WARM_UP
    with ExitStack() as opened:
        for name, address in statements["urls"].items():
            _pools[name] = opened.enter_context(
                psycopg_pool.ConnectionPool(
                    address,
                    min_size=CONNECTIONS,
                    max_size=CONNECTIONS,
                    open=True,
                    configure=_plain,
                    kwargs={"cursor_factory": psycopg.RawCursor, "prepare_threshold": 0},
                )
            )
        threads = opened.enter_context(ThreadPoolExecutor(THREADS))
        opened.enter_context(launched(url))
        DBOS.register_queue(QUEUE, worker_concurrency=AT_ONCE, polling_interval_sec=POLLED)
        several(threads, range(WARM_UP))
        found = measured(filings, partial(several, threads, range(WARM_UP, len(_filings))))
    first = _filings[0]
    return {
        **found,
        "transactions_per_filing": len(first),
        "deliveries_per_filing": sum(len(deliveries) for _, deliveries in first),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("result", type=Path)
    parser.add_argument("statements", type=Path)
    arguments = parser.parse_args()
    statements = pickle.loads(arguments.statements.read_bytes())
    arguments.result.write_text(json.dumps(measure(statements, os.environ["BENCH_DATABASE"])))


if __name__ == "__main__":
    main()
