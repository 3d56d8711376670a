"""`libs/common` stays small: over budget means that something belongs to a service or to a real library."""

import ast

from tools.checks.outcome import Outcome
from tools.checks.tree import text, written

# lines of code: what explains the code costs nothing, and the test kit is no plumbing (ADR 3)
TOTAL = 3_000
PER_MODULE = 300


def common() -> Outcome:
    rooms = [path for path in written(".py") if path.parts[:3] == ("libs", "common", "common")]
    lines = {path: code_lines(text(path)) for path in rooms if "testing" not in path.parts}
    used = sum(lines.values())
    problems = [
        f"{path}: {count} lines, a module has {PER_MODULE}" for path, count in lines.items() if count > PER_MODULE
    ]
    if used > TOTAL:
        problems.append(f"libs/common has {used} lines of code of {TOTAL}")
    return Outcome(tuple(problems), f"{TOTAL - used} lines left")


def code_lines(source: str) -> int:
    """Lines that are neither blank, nor comment, nor docstring."""
    said: set[int] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and ast.get_docstring(
            node
        ):
            said |= set(range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1))
    return sum(
        bool(line.strip()) and not line.lstrip().startswith("#") and number not in said
        for number, line in enumerate(source.splitlines(), start=1)
    )
