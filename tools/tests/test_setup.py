"""What set-up says on a machine where something is missing, before it downloads anything."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ORDINARY = ("bash", "dirname", "env", "head", "sed")


def test_everything_that_is_missing_is_named_at_once_with_its_command(tmp_path: Path) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ORDINARY:
        (programs / name).symlink_to(shutil.which(name))
    run_dir = tmp_path / "run"
    environment = {"PATH": str(programs), "PYTHON": sys.executable, "TONGBAN_RUN_DIR": str(run_dir), "HOME": os.devnull}
    done = subprocess.run(
        [ROOT / "tools" / "setup.sh"], env=environment, capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 1
    assert "nothing has been downloaded yet" in done.stderr
    for missing in ("a JDK, 17 or later", "Maven", "Node 20 or later"):
        assert missing in done.stderr
    assert done.stderr.count("install ") == 3
    assert not run_dir.exists()


def test_servers_of_somebody_else_need_no_java(tmp_path: Path) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ORDINARY:
        (programs / name).symlink_to(shutil.which(name))
    environment = {
        "PATH": str(programs),
        "PYTHON": sys.executable,
        "TONGBAN_RUN_DIR": str(tmp_path / "run"),
        "TONGBAN_KEYCLOAK_URL": "http://sso.example",
    }
    done = subprocess.run(
        [ROOT / "tools" / "setup.sh"], env=environment, capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 1
    assert "JDK" not in done.stderr
    assert "Node 20" in done.stderr
