"""`make test`: the parts' tests side by side, then the stories through the house; a line of counts.

Each part is a pytest run of its own: every service has a `tests` package, and their names would clash in one run.
"""

import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from xml.etree import ElementTree as ET

from tools.runner.control import Control

ROOT = Path(__file__).resolve().parents[1]
# these work on the one Keycloak, so they wait for each other
ON_KEYCLOAK = ("services/accounts", "gateway")
SIDE_BY_SIDE = 2
# one after the other through the whole house: the stories of its people, then what breaks it, then who attacks it
THROUGH_THE_HOUSE = ("e2e", "faults", "attack")
NOTHING_COLLECTED = 5


def main() -> None:
    """Run everything; end with `N passed, N failed`."""
    control = Control.from_environment()
    # the gateway's own tests open gateways where Keycloak sends people back to: at this one's address
    asyncio.run(control.stop("gateway"))
    found = [
        str(path.relative_to(ROOT)) for place in ("libs", "services", "tools") for path in (ROOT / place).glob("*/")
    ]
    groups = [ON_KEYCLOAK, *((part,) for part in (*found, "demo") if part not in ON_KEYCLOAK)]
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        reports = Path(folder)
        running = [pool.submit(run_group, group, reports) for group in sorted(groups, key=size, reverse=True)]
        counted = [count for group in running for count in group.result()]
        asyncio.run(control.start("gateway"))
        asyncio.run(control.wait_ready("gateway"))
        counted += [run(part, reports) for part in THROUGH_THE_HOUSE]
    passed, failed = (sum(column) for column in zip(*counted, strict=True))
    print(f"{passed} passed, {failed} failed")
    sys.exit(bool(failed) or not passed)


def size(group: Iterable[str]) -> int:
    """The bytes of a group's tests: what is large takes long, and begins first."""
    return sum(path.stat().st_size for part in group for path in (ROOT / part).rglob("test_*.py"))


def run_group(group: Iterable[str], reports: Path) -> list[tuple[int, int]]:
    """Parts one after the other."""
    return [run(part, reports) for part in group]


def run(part: str, reports: Path) -> tuple[int, int]:
    """One part's tests: how many passed and failed."""
    if not any((ROOT / part).rglob("test_*.py")):
        return 0, 0
    begun = time.monotonic()
    report = reports / f"{part.replace('/', '-')}.xml"
    # the stories share one city and are told in order
    told = ["-p", "no:randomly"] if part in THROUGH_THE_HOUSE else []
    command = [sys.executable, "-m", "pytest", "-q", *told, f"--junitxml={report}", part]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    passed, failed = counts(report)
    # a run that broke down without a failed test is a failure as well
    failed += done.returncode not in (0, NOTHING_COLLECTED) and not failed
    print(f"{part:<24} {passed:>5} passed {failed:>3} failed {time.monotonic() - begun:7.1f} s", flush=True)
    if failed:
        print(done.stdout[-20_000:], done.stderr[-5_000:], flush=True)
    return passed, failed


def counts(report: Path) -> tuple[int, int]:
    """Passed and failed tests of a finished run's report."""
    if not report.exists():
        return 0, 0
    # written by pytest, a moment ago
    suite = ET.parse(report).getroot().find("testsuite")  # noqa: S314
    if suite is None:
        return 0, 0
    bad = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
    return int(suite.get("tests", 0)) - bad - int(suite.get("skipped", 0)), bad


if __name__ == "__main__":
    main()
