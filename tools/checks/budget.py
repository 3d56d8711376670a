"""`libs/common` stays small: over budget means that something belongs to a service or to a real library."""

from tools.checks.outcome import Outcome
from tools.checks.tree import text, written

TOTAL = 3_000
PER_MODULE = 300


def common() -> Outcome:
    lines = {path: text(path).count("\n") for path in written(".py") if path.parts[:3] == ("libs", "common", "common")}
    used = sum(lines.values())
    problems = [
        f"{path}: {count} lines, a module has {PER_MODULE}" for path, count in lines.items() if count > PER_MODULE
    ]
    if used > TOTAL:
        problems.append(f"libs/common has {used} lines of {TOTAL}")
    return Outcome(tuple(problems), f"{TOTAL - used} lines left")
