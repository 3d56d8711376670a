"""The checks that other tools make: style, types, architecture, wire."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tools import generate_proto
from tools.checks.outcome import Outcome
from tools.checks.tree import ROOT, SERVICES

BUF = ROOT / "node_modules" / ".bin" / "buf"
# Every importable package and the folder that holds it.
PACKAGES = {
    "common": "libs/common",
    "worktime": "libs/worktime",
    "sealing": "libs/sealing",
    "listening": "libs/listening",
    "chaining": "libs/chaining",
    **{service: f"services/{service}" for service in SERVICES},
    "gateway": "gateway",
    "demo": "demo",
    "faults": "faults",
    "attack": "attack",
    "tools": ".",
}


def style() -> Outcome:
    return _run(sys.executable, "-m", "ruff", "check", "--quiet", "--output-format", "concise", ".")


def formatting() -> Outcome:
    return _run(sys.executable, "-m", "ruff", "format", "--quiet", "--diff", ".", note="`make fmt` mends it")


def types() -> Outcome:
    # Members are installed editable: mypy finds them by their folders, so that each has one name.
    os.environ["MYPYPATH"] = os.pathsep.join(
        [*(folder for folder in PACKAGES.values() if folder != "."), "libs/contracts"]
    )
    paths = [str(Path(folder) / package) for package, folder in PACKAGES.items()]
    return _run(sys.executable, "-m", "mypy", "--no-error-summary", *paths)


def architecture() -> Outcome:
    return _run(str(Path(sys.executable).with_name("lint-imports")), "--no-logo")


def contract_style() -> Outcome:
    return _buf("lint", "proto")


def contract_compatibility() -> Outcome:
    """The image is the contract as last released: what was stored or sent then must stay readable."""
    return _buf("breaking", "proto", "--against", "proto/image.binpb")


def contract_generated() -> Outcome:
    with tempfile.TemporaryDirectory() as folder:
        generate_proto.generate(Path(folder))
        return _run(
            "diff", "--recursive", "--brief", "--exclude=__pycache__", folder + "/tongban", "libs/contracts/tongban"
        )


def _buf(*arguments: str) -> Outcome:
    if not BUF.exists():
        return Outcome(("buf is not installed: run `make setup`",))
    return _run(str(BUF), *arguments)


def _run(*command: str, note: str = "") -> Outcome:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return Outcome()
    return Outcome(tuple((done.stdout + done.stderr).strip().splitlines()) or (f"exit code {done.returncode}",), note)
