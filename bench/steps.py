"""The step loop without HTTP: newborn filings per second and CPU per filing, beside three others in the same run.

    python -m tools.runner exec --instance bench --no-keycloak --keep-data -- python -m bench.steps

`ours` is the house's code; `raw` sends the very statements and events of ours by asyncpg and nats-py alone; `dbos` is
DBOS Transact doing eight steps per filing, `dbos_same` DBOS Transact sending the statements of ours. They take turns,
so that a busy neighbour meets all of them; the last has one.
"""

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from bench import meter
from bench.contenders import servers
from bench.environment import python_with_dbos

MODULES = {
    "ours": "bench.contenders.ours",
    "raw": "bench.contenders.raw",
    "dbos": "bench.contenders.transact",
    "dbos_same": "bench.contenders.hand_over",
}
# it takes as long as all others together, and is too far from them for noise to matter
ONCE = ("dbos_same",)
WITHIN = 180


def run(name: str, filings: int) -> dict[str, object]:
    """One turn of one contender, in a process of its own, with its log in a file as in a real house."""
    python = sys.executable
    environment = dict(os.environ)
    if name == "dbos":
        python = python_with_dbos()
        environment["BENCH_DATABASE"] = asyncio.run(servers.empty("dbos"))
    with tempfile.TemporaryDirectory() as folder:
        result, log = Path(folder) / "result.json", Path(folder) / "log"
        with log.open("w") as written:
            done = subprocess.run(
                (python, "-m", MODULES[name], str(result), "--filings", str(filings)),
                env=environment,
                stdout=written,
                stderr=subprocess.STDOUT,
                timeout=WITHIN,
                check=False,
            )
        if done.returncode or not result.exists():
            raise RuntimeError(f"{name} failed:\n{log.read_text()[-3000:]}")
        return json.loads(result.read_text())


def middle(turns: list[dict[str, object]]) -> dict[str, object]:
    """The turn with the median rate, with all rates beside it."""
    ordered = sorted(turns, key=lambda each: each["filings_per_second"])
    rates = [each["filings_per_second"] for each in turns]
    cpu = statistics.median(each["cpu_ms_per_filing"]["all"] for each in turns)
    return {**ordered[len(ordered) // 2], "rates": rates, "median_cpu_ms": cpu}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--filings", type=int, default=60)
    parser.add_argument("--turns", type=int, default=3)
    arguments = parser.parse_args()
    turns: dict[str, list[dict[str, object]]] = {name: [] for name in MODULES}
    failed: dict[str, str] = {}
    for _ in range(arguments.turns):
        for name in MODULES:
            if name in failed or (name in ONCE and turns[name]):
                continue
            try:
                turns[name].append(run(name, arguments.filings))
            except Exception as error:  # noqa: BLE001 - one that fails leaves the others their figures
                failed[name] = str(error)[-2000:]
                print(f"{name}: {failed[name]}", file=sys.stderr)
    result: dict[str, object] = {name: middle(each) for name, each in turns.items() if each}
    result["ratios"] = {
        f"ours/{other}": {
            "rate": round(result["ours"]["filings_per_second"] / result[other]["filings_per_second"], 3),
            "cpu": round(result["ours"]["median_cpu_ms"] / result[other]["median_cpu_ms"], 3),
        }
        for other in ("raw", "dbos", "dbos_same")
        if other in result and "ours" in result
    }
    if failed:
        result["failed"] = failed
    command = f"python -m bench.steps --filings {arguments.filings} --turns {arguments.turns}"
    meter.write("steps", {**result, "machine": meter.machine(), "command": command})
    if failed:
        sys.exit(1)


if __name__ == "__main__":
    main()
