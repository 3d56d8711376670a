"""Names, lengths and strings that have no place, found by reading the files."""

import re
from collections.abc import Iterable
from pathlib import Path

from tools.checks.outcome import Outcome
from tools.checks.tree import files, is_test, text, written

CODE = (".py", ".ts", ".tsx")
LONGEST_FILE = 400
FORBIDDEN_NAMES = frozenset(["util", "utils", "helper", "helpers", "base", "manager", "managers", "misc", "core"])

# Written so that this file does not name what it looks for.
ADDRESSES = re.compile(
    r"py[p]i[.]org|python[h]osted[.]|npm[j]s[.](org|com)|npm[m]irror[.]|ya[r]npkg[.]com|mav[e]n[.](org|apache|google|aliyun)"
    r"|crat[e]s[.]io|gol[a]ng[.]org/(dl|toolchain)|proxy[.]gol[a]ng|rub[y]gems[.]org|(deb|security)[.]deb[i]an[.]org"
    r"|archive[.]ubun[t]u[.]com|mirrors?[.](aliyun|tuna|ustc)"
)
MACHINE_PATHS = re.compile(r"(^|[^a-z0-9_.}])/(w[o]rk|f[a]rm|r[o]ot|ho[m]e/[a-z]+)/")
LOCK_ADDRESS = re.compile(r'"resolved":\s*"http')


def lengths() -> Outcome:
    """A room that is full becomes a folder of the same name."""
    long = ((path, text(path).count("\n")) for path in written(*CODE))
    return Outcome(tuple(f"{path}: {lines} lines" for path, lines in long if lines > LONGEST_FILE))


def names() -> Outcome:
    """A file or folder is named for what it is about."""
    return Outcome(
        tuple(
            f"{path}: no file or folder is called {name}"
            for path in written(*CODE, ".proto")
            for name in [*path.parts[:-1], path.name.split(".")[0]]
            if name in FORBIDDEN_NAMES
        )
    )


def addresses() -> Outcome:
    """No package registry's address, no path of somebody's machine."""
    return Outcome((*_lines(files(), ADDRESSES), *_lines(files(), MACHINE_PATHS), *_lines(files(), LOCK_ADDRESS)))


def subjects() -> Outcome:
    """An event's subject is computed from its proto option, never typed; all of a service's together are no event's."""
    typed = (
        path
        for path in written(*CODE)
        if not is_test(path) and path.parts[:2] not in (("libs", "common"), ("tools", "checks"))
    )
    return Outcome(_lines(typed, re.compile(r"""["']evt\.(?!\{service\}\.>["'])""")))


def commits() -> Outcome:
    """One place commits."""
    calls = re.compile(r"\.commit\(\)")
    others = (path for path in written(".py") if path != Path("libs/common/common/transaction.py"))
    return Outcome(_lines((path for path in others if not is_test(path)), calls))


def promises() -> Outcome:
    """What is not done is not left as a note in the code."""
    marks = re.compile(r"\b(TO[D]O|FIX[M]E|XX[X]|HA[C]K)\b")
    return Outcome(_lines(written(*CODE, ".proto", ".sh", ".yaml", ".yml", ".toml"), marks))


def _lines(paths: Iterable[Path], pattern: re.Pattern[str]) -> tuple[str, ...]:
    return tuple(
        f"{path}:{number}: {line.strip()[:120]}"
        for path in paths
        for number, line in enumerate(text(path).splitlines(), 1)
        if pattern.search(line)
    )
