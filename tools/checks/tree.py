"""The files that git knows or would take: what a commit could hold."""

import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SERVICES = tuple(sorted(path.name for path in (ROOT / "services").iterdir() if (path / path.name).is_dir()))
GENERATED = ("libs/contracts/tongban/", "web/packages/api/src/generated/")


@cache
def files() -> tuple[Path, ...]:
    """Paths from the repository's root, tracked or new, without what is ignored."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return tuple(sorted({Path(name) for name in listed.split("\0") if name and (ROOT / name).is_file()}))


def written(*suffixes: str) -> tuple[Path, ...]:
    """The files of these kinds that people write."""
    return tuple(path for path in files() if path.suffix in suffixes and not path.as_posix().startswith(GENERATED))


def text(path: Path) -> str:
    """The file's text; a binary has none."""
    try:
        return (ROOT / path).read_text("utf-8")
    except UnicodeDecodeError:
        return ""


def is_test(path: Path) -> bool:
    return bool({"tests", "e2e", "bench"} & set(path.parts)) or "testing" in path.parts
