"""`make bench`: every figure anew, each into bench/results, and the table in bench/README.md. Ten minutes.

A part that fails leaves the others alone: its log is told, its old figures stay, and the command ends with 1.
"""

import argparse
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench import report

ROOT = Path(__file__).resolve().parents[1]
LOGS = ROOT / ".run" / "bench-logs"
RUNNER = (sys.executable, "-m", "tools.runner")
PLACE = ("--instance", "bench", "--base", "22200")
# rate limits are for people: the bench's few accounts file and decide for a whole city
UNLIMITED = {"GATEWAY_PERSON_RATE": "100000", "GATEWAY_PERSON_BURST": "100000"}
UP = "The house is up"
UP_WITHIN = 240


@dataclass(frozen=True, slots=True)
class Part:
    """One bench, and after how many seconds it has failed."""

    name: str
    arguments: tuple[str, ...]
    within: int


ALONE = (Part("start", (), 300),)
ON_SERVERS = (
    Part("steps", ("--filings", "50", "--turns", "3"), 300),
    Part("bus", ("--facts", "20000", "--burst", "50000"), 240),
)


def in_house(seeded: int) -> tuple[Part, ...]:
    return (
        Part("gateway", ("--calls", "2000"), 180),
        Part("todos", ("--todos", "10000", "--calls", "300"), 120),
        Part("newborn", ("--filings", "30", "--seeded", str(seeded)), 600),
    )


class Run:
    """What has been run, and what of it failed."""

    def __init__(self, only: set[str]) -> None:
        self.only = only
        self.failed: list[str] = []

    def wants(self, *parts: Part) -> bool:
        return not self.only or any(each.name in self.only for each in parts)

    def part(self, part: Part, before: tuple[str, ...] = ()) -> None:
        if not self.wants(part):
            return
        began = time.monotonic()
        command = (*before, sys.executable, "-m", f"bench.{part.name}", *part.arguments)
        log = LOGS / f"{part.name}.log"
        with log.open("w") as written:
            process = subprocess.Popen(command, cwd=ROOT, stdout=written, stderr=subprocess.STDOUT)
            try:
                code = process.wait(part.within)
            except subprocess.TimeoutExpired:
                code = None
                end(process)
        took = time.monotonic() - began
        if code == 0:
            print(f"{part.name:<10} {took:4.0f} s", flush=True)
        else:
            self.failed.append(part.name)
            why = f"exit code {code}" if code is not None else f"not done within {part.within} s"
            print(f"{part.name:<10} {took:4.0f} s  FAILED ({why}), see {log.relative_to(ROOT)}", flush=True)


def end(process: subprocess.Popen[bytes]) -> None:
    """Ask, then insist."""
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(60)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextlib.contextmanager
def up(what: tuple[str, ...], word: str) -> Iterator[bool]:
    """Servers or a house for several parts, on data of their own; false if they do not come up."""
    clean()
    log = LOGS / f"{what[0]}.log"
    with log.open("w") as written:
        process = subprocess.Popen(
            (*RUNNER, *what, *PLACE),
            cwd=ROOT,
            stdout=written,
            stderr=subprocess.STDOUT,
            env={**os.environ, **UNLIMITED},
        )
        until = time.monotonic() + UP_WITHIN
        there = False
        while process.poll() is None and time.monotonic() < until and not there:
            time.sleep(0.5)
            there = word in log.read_text()
        if not there:
            print(f"{what[0]} did not come up, see {log.relative_to(ROOT)}", flush=True)
        try:
            yield there
        finally:
            if process.poll() is None:
                end(process)
            clean()


def clean() -> None:
    if (ROOT / ".run" / "bench").exists():
        subprocess.run((*RUNNER, "clean", "--instance", "bench"), cwd=ROOT, check=False, stdout=subprocess.DEVNULL)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("only", nargs="*", help="parts by name; all if none is named")
    parser.add_argument("--seeded", type=int, default=100_000, help="filings there before the second measurement")
    arguments = parser.parse_args()
    LOGS.mkdir(parents=True, exist_ok=True)
    run = Run(set(arguments.only))
    house = in_house(arguments.seeded)
    for part in ALONE:
        run.part(part)
    for what, word, parts, more in (
        (("servers", "--no-keycloak"), "The servers are up", ON_SERVERS, ("--no-keycloak",)),
        (("run", "--no-demo"), UP, house, ()),
    ):
        if not run.wants(*parts):
            continue
        with up(what, word) as there:
            for part in parts:
                if there:
                    run.part(part, (*RUNNER, "exec", *PLACE, *more, "--"))
                elif run.wants(part):
                    run.failed.append(part.name)
    report.main()
    if run.failed:
        sys.exit(f"failed: {', '.join(run.failed)}")


if __name__ == "__main__":
    main()
