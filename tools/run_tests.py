"""`make test`: the parts' tests, beside them the stories through the house, then what breaks it; a line of counts.

Each part is a pytest run of its own: every service has a `tests` package, and their names would clash in one run.
"""

import asyncio
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from xml.etree import ElementTree as ET

from tools.runner.control import Control

ROOT = Path(__file__).resolve().parents[1]
SIDE_BY_SIDE = 2
# these work on the one Keycloak, so they wait for each other
ON_KEYCLOAK = ("services/accounts", "gateway")
# its people's stories mostly wait: the parts that only calculate go on meanwhile
STORIES = "e2e"
# what breaks the house breaks the servers that the parts work with, and who attacks it wants all of it
ALONE = ("faults", "attack")
THROUGH_THE_HOUSE = (STORIES, *ALONE)
NOTHING_COLLECTED = 5


def main() -> None:
    """Run everything; end with `N passed, N failed`."""
    begun = time.monotonic()
    found = [
        str(path.relative_to(ROOT)) for place in ("libs", "services", "tools") for path in (ROOT / place).glob("*/")
    ]
    parts = sorted({*found, "demo"} - {*ON_KEYCLOAK}, key=size, reverse=True)
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(1 + SIDE_BY_SIDE) as pool:
        reports = Path(folder)
        waiting = pool.submit(run_keycloak_and_stories, reports)
        calculating = [pool.submit(run, part, reports) for part in parts]
        counted = [*waiting.result(), *(part.result() for part in calculating)]
        counted += [run(part, reports) for part in ALONE]
    passed, failed = (sum(column) for column in zip(*counted, strict=True))
    print(f"all of it in {time.monotonic() - begun:.0f} s")
    print(f"{passed} passed, {failed} failed")
    sys.exit(bool(failed) or not passed)


def size(part: str) -> int:
    """The bytes of a part's tests: what is large takes long, and begins first."""
    return sum(path.stat().st_size for path in (ROOT / part).rglob("test_*.py"))


def run_keycloak_and_stories(reports: Path) -> list[tuple[int, int]]:
    """One after the other what works on Keycloak, then the stories, which need it as it was."""
    control = Control.from_environment()
    # the gateway's own tests open gateways where Keycloak sends people back to: at this one's address
    asyncio.run(control.stop("gateway"))
    counted = [run(part, reports) for part in ON_KEYCLOAK]
    asyncio.run(control.start("gateway"))
    asyncio.run(control.wait_ready("gateway"))
    return [*counted, run(STORIES, reports)]


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
