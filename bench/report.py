"""Writes the table of bench/README.md from bench/results: `python -m bench.report`."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from bench.meter import RESULTS

README = Path(__file__).parent / "README.md"
BEGIN, END = "<!-- table -->", "<!-- end of table -->"

type Row = tuple[str, str, str, str]


def met(*, so: bool) -> str:
    return "met" if so else "**not met**"


def start(of: dict[str, Any]) -> Iterator[Row]:
    cold, warm = of["cold"], of["warm"]
    yield "cold start", f"{cold['seconds']} s", "≤ 150 s", met(so=cold["seconds"] <= 150)
    yield "warm start", f"{warm['seconds']} s", "≤ 40 s", met(so=warm["seconds"] <= 40)
    yield "memory of all processes (PSS)", f"{warm['pss_mb']} MB", "≤ 2,000 MB", met(so=warm["pss_mb"] <= 2000)


def steps(of: dict[str, Any]) -> Iterator[Row]:
    names = {
        "ours": "step loop without HTTP: ours",
        "raw": "— the same rows and events by asyncpg and nats-py",
        "dbos": "— DBOS Transact, 8 steps of one row each",
        "dbos_same": "— DBOS Transact, the same statements",
    }
    for name, title in names.items():
        if name in of:
            yield (
                title,
                f"{of[name]['filings_per_second']} filings/s, {of[name]['median_cpu_ms']} ms CPU per filing",
                "",
                "",
            )
    ratios = of["ratios"]
    if "ours/raw" in ratios:
        found = ratios["ours/raw"]
        yield "— ours / raw", f"rate {found['rate']}, CPU {found['cpu']}", "rate ≥ 0.5", met(so=found["rate"] >= 0.5)
    if "ours/dbos" in ratios:
        found = ratios["ours/dbos"]
        yield "— ours / DBOS", f"rate {found['rate']}, CPU {found['cpu']}", "rate ≥ 5", met(so=found["rate"] >= 5)
    if "ours/dbos_same" in ratios:
        found = ratios["ours/dbos_same"]
        yield "— ours / DBOS with the same statements", f"rate {found['rate']}, CPU {found['cpu']}", "", ""


def bus(of: dict[str, Any]) -> Iterator[Row]:
    for name in ("relay", "consumer"):
        found = of[name]
        told = f"{found['per_second']} facts/s, {found['cpu_ms_per_fact']['all']} ms CPU per fact"
        yield f"{name} alone, `sync_interval: always`", told, "", ""
    burst = of["burst"]
    told = f"{burst['lag_seconds']} s ({burst['per_second']} facts/s), {burst['twice']} handled twice"
    yield f"lag after a burst of {burst['facts']:,}, both at work", told, "", ""
    single = of["one_at_a_time"]
    yield "from a commit to its effect elsewhere", f"p50 {single['p50_ms']} ms, p99 {single['p99_ms']} ms", "", ""


def gateway(of: dict[str, Any]) -> Iterator[Row]:
    for name in ("person", "filing"):
        found = of[name]
        direct, hop = (found[each]["cpu_ms_per_call"]["all"] for each in ("direct_20_users", "gateway_20_users"))
        told = f"{hop} ms CPU, direct {direct} ms ({found['times']} times)"
        yield f"read of a {name} through the gateway", told, f"≤ {found['aim_ms']} ms", met(so=found["met"])
        for users in (20, 100):
            reads = found[f"gateway_{users}_users"]
            busy = f", {reads['too_busy']} told to come again" if "too_busy" in reads else ""
            told = f"p50 {reads['p50_ms']} ms, p99 {reads['p99_ms']} ms, {reads['calls_per_second']}/s{busy}"
            yield f"— {users} users", told, "", ""


def todos(of: dict[str, Any]) -> Iterator[Row]:
    for name, title in (("list_20", "list, 20 a page"), ("list_100", "list, 100 a page"), ("counts", "counts")):
        found = of[name]
        told = f"p50 {found['p50_ms']} ms, p99 {found['p99_ms']} ms, {found['cpu_ms_per_call']['all']} ms CPU"
        yield f"todos of an officer with {of['open']:,} open: {title}", told, "p99 < 20 ms", met(so=found["met"])


def newborn(of: dict[str, Any]) -> Iterator[Row]:
    for name in ("empty", "seeded"):
        if name not in of:
            continue
        found = of[name]
        told = f"{found['filings_per_second']} filings/s, {found['cpu_ms_per_filing']['all']} ms CPU per filing"
        yield f"newborn lifecycles through the gateway, {found.get('filings_before', 0):,} filings before", told, "", ""
        parts = sorted(found["cpu_ms_per_filing"].items(), key=lambda each: -each[1])
        told = ", ".join(f"{part} {spent:.0f}" for part, spent in parts if part != "all")
        yield "— CPU by process, ms", told, "", ""
    if "change" in of:
        change = of["change"]
        told = f"rate {change['filings_per_second']:+.1%}, CPU {change['cpu']:+.1%}"
        yield "— the difference", told, "rate drops ≤ 10 %", met(so=change["filings_per_second"] >= -0.1)


PARTS: dict[str, Callable[[dict[str, Any]], Iterator[Row]]] = {
    "start": start,
    "steps": steps,
    "bus": bus,
    "gateway": gateway,
    "todos": todos,
    "newborn": newborn,
}


def main() -> None:
    lines = ["| what | figure | aim | | command |", "|---|---|---|---|---|"]
    for name, rows in PARTS.items():
        file = RESULTS / f"{name}.json"
        if not file.exists():
            continue
        read = json.loads(file.read_text())
        command = f"`{read.get('command', f'python -m bench.{name}')}`"
        try:
            for row in rows(read):
                lines.append(f"| {' | '.join(row)} | {command} |")
                command = ""
        except KeyError as error:
            lines.append(f"| {name} | older figures without {error} | | | {command} |")
    told = README.read_text()
    head, _, rest = told.partition(BEGIN)
    _, _, tail = rest.partition(END)
    README.write_text(f"{head}{BEGIN}\n{'\n'.join([*lines, *_machine()])}\n{END}{tail}")


def _machine() -> Iterator[str]:
    for name in ("steps", "newborn", "gateway"):
        file = RESULTS / f"{name}.json"
        machine = json.loads(file.read_text()).get("machine") if file.exists() else None
        if isinstance(machine, dict):
            versions = ", ".join(f"{each} {number}" for each, number in machine["versions"].items())
            yield ""
            yield (
                f"Machine: {machine['cores']} cores, {machine['memory_gb']} GB, load {machine['busy_before']} before;"
                f" Python {machine['python']}, {versions}."
            )
            return


if __name__ == "__main__":
    main()
