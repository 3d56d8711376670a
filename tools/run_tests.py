"""`make test`: the parts' tests side by side, then the stories through the house one by one; a line of counts."""

import subprocess
import sys
import tempfile
from pathlib import Path
from xml.etree import ElementTree as ET

ROOT = Path(__file__).resolve().parents[1]
PARTS = ("libs", "services", "gateway", "demo", "tools")
STORIES = "e2e"
NOTHING_COLLECTED = 5


def main() -> None:
    parts = [part for part in PARTS if any((ROOT / part).rglob("test_*.py"))]
    runs = [["-n", "2", "--dist", "loadfile", *parts]] if parts else []
    if any((ROOT / STORIES).rglob("test_*.py")):
        runs.append(["-n", "0", STORIES])
    passed = failed = 0
    broken = False
    with tempfile.TemporaryDirectory() as folder:
        for number, arguments in enumerate(runs):
            report = Path(folder) / f"{number}.xml"
            command = [sys.executable, "-m", "pytest", "-q", f"--junitxml={report}", *arguments]
            code = subprocess.run(command, cwd=ROOT, check=False).returncode
            broken |= code not in (0, NOTHING_COLLECTED)
            good, bad = counts(report)
            passed, failed = passed + good, failed + bad
    # a run that broke down without a failed test is a failure as well
    failed += broken and not failed
    print(f"{passed} passed, {failed} failed")
    sys.exit(bool(failed) or not passed)


def counts(report: Path) -> tuple[int, int]:
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
