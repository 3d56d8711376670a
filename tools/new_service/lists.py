"""The lists that name every service; a new one is written beside the one that it is shaped after."""

import re
from typing import TYPE_CHECKING

from tools.new_service.stamp import ROOT, Names

if TYPE_CHECKING:
    from collections.abc import Callable

PATTERN = "workbench"  # the service that the templates are shaped after
SERVER_PORTS = 50  # offsets from here on belong to PostgreSQL, NATS and the others


def enlist(names: Names) -> None:
    """Write the name into the lists; refuses before writing anything when one is not as expected."""
    edits: dict[str, Callable[[str, Names], str]] = {
        ".importlinter": _architecture,
        "pyproject.toml": _workspace,
        "Procfile": _process,
        "tools/runner/environment.py": _tuple,
        "tools/runner/instance.py": _tuple,
        "tools/runner/ports.py": _ports,
    }
    changed = {}
    for name, edit in edits.items():
        before = (ROOT / name).read_text("utf-8")
        changed[name] = edit(before, names)
        if changed[name] == before:
            raise LookupError(f"{name} does not name {PATTERN} as expected: write {names.service} there by hand")
    changed["docs/glossary.md"] = _glossary((ROOT / "docs/glossary.md").read_text("utf-8"), names)
    for name, after in changed.items():
        (ROOT / name).write_text(after, "utf-8")


def _architecture(text: str, names: Names) -> str:
    # The name alone, and the rooms that callers are named by; what stands in a row stands there too.
    text = re.sub(
        rf"^( +){PATTERN}(\.(?:main|settings|clients))?$",
        rf"\g<0>\n\g<1>{names.service}\g<2>",
        text,
        flags=re.MULTILINE,
    )
    return re.sub(rf"\| {PATTERN} \|", rf"\g<0> {names.service} |", text)


def _workspace(text: str, names: Names) -> str:
    text = text.replace(f'"{PATTERN}", ', f'"{PATTERN}", "{names.service}", ', 1)
    return re.sub(rf"^{PATTERN} = (.*)$", rf"\g<0>\n{names.service} = \g<1>", text, flags=re.MULTILINE)


def _process(text: str, names: Names) -> str:
    line = f"{names.service}: python -m {names.service}.main"
    return re.sub(rf"^{PATTERN}: .*$", rf"\g<0>\n{line}", text, flags=re.MULTILINE)


def _tuple(text: str, names: Names) -> str:
    return re.sub(rf'(?<="orchestration", )"{PATTERN}"', rf'\g<0>, "{names.service}"', text)


def _ports(text: str, names: Names) -> str:
    offsets = map(int, re.findall(r'^    "[a-z-]+": (\d+),', text, flags=re.MULTILINE))
    last = max(offset for offset in offsets if offset < SERVER_PORTS)
    if last + 2 >= SERVER_PORTS:
        raise LookupError("no port offset is left below those of the servers: choose one in tools/runner/ports.py")
    lines = f'\n    "{names.service}": {last + 1},\n    "{names.service}-grpc": {last + 2},'
    return re.sub(rf'^    "{PATTERN}-grpc": \d+,', rf"\g<0>{lines}", text, flags=re.MULTILINE)


def _glossary(text: str, names: Names) -> str:
    known = re.search(rf"^\|[^|]*\| {names.noun} \|", text, flags=re.MULTILINE)
    row = f"| ？ | {names.noun} | n | `{names.noun.capitalize()}` | | | |\n"
    return text if known else text.rstrip("\n") + "\n" + row
