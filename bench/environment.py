"""A Python of its own for DBOS Transact: the house does not depend on it, and a fresh setup would take it away."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
HOME = ROOT / ".run" / "tools" / "bench"


def python_with_dbos() -> str:
    """Make it from the group `bench` of pyproject.toml, if it is not there."""
    python = HOME / "bin" / "python"
    installed = HOME / "complete"
    if not installed.exists():
        uv = str(Path(sys.executable).parent / "uv")
        subprocess.run((uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(HOME)), check=True)
        subprocess.run(
            (uv, "pip", "install", "--quiet", "--python", str(python), "--group", "bench"), check=True, cwd=ROOT
        )
        installed.touch()
    return str(python)
