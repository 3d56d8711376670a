"""Instances of our own, in folders and port blocks that nothing else uses."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from tools.runner.control import Control
from tools.runner.ports import OFFSETS, check_free
from tools.runner.refusals import PortTaken

ROOT = Path(__file__).resolve().parents[2]
# far enough from the block of a house that runs these tests
BASE = int(os.environ.get("TONGBAN_PORT_BASE", "24000")) + 500


@dataclass
class Runner:
    """The runner as people start it: a program, told from outside."""

    run_dir: Path
    base: int = BASE
    fork: bool = False
    started: list[subprocess.Popen] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        outer = {name: value for name, value in os.environ.items() if not name.startswith("TONGBAN_")}
        # the libraries' import would take longer than most of these tests
        return {**outer, "TONGBAN_RUN_DIR": str(self.run_dir), **({} if self.fork else {"TONGBAN_NO_FORK": "1"})}

    def call(self, *arguments: str) -> subprocess.CompletedProcess:
        command = [sys.executable, "-m", "tools.runner", *arguments]
        return subprocess.run(
            command, cwd=ROOT, env=self.environment, capture_output=True, text=True, timeout=60, check=False
        )

    def begin(self, *command: str) -> subprocess.Popen:
        process = subprocess.Popen(
            [sys.executable, *command],
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.started.append(process)
        return process

    def execute(self, script: str, *options: str) -> subprocess.CompletedProcess:
        """`exec` with a Python script beside the servers."""
        given = ("--instance", "trial", "--base", str(self.base), "--no-keycloak", *options)
        return self.call("exec", *given, "--", sys.executable, "-c", script)

    def begin_small_house(self, *services: str) -> subprocess.Popen:
        """Servers and small services, until told to stop; answers when all are ready."""
        process = self.begin("-m", "tools.tests.small_house", str(self.base), *services)
        for line in process.stdout:
            if line == "up\n":
                return process
        raise AssertionError(f"the small house ended with {process.wait()}")

    @property
    def control(self) -> Control:
        return Control(self.run_dir / "trial" / "control.sock")

    def pids(self, instance: str = "trial") -> dict[str, int]:
        file = self.run_dir / instance / "processes.json"
        return {name: pid for name, (pid, _) in json.loads(file.read_text()).items()}


@pytest.fixture
def runner(tmp_path: Path) -> Iterator[Runner]:
    # what was installed stays where it is
    run_dir = tmp_path / "run"
    run_dir.mkdir()
    (run_dir / "tools").symlink_to(Path(os.environ.get("TONGBAN_RUN_DIR") or ROOT / ".run") / "tools")
    found = Runner(run_dir)
    yield found
    for process in found.started:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=30)


def left_by(runner: Runner) -> list[str]:
    """What still works in the runner's folder or listens in its block of ports."""
    left = [
        f"{process.info['pid']} {process.info['cmdline']}"
        for process in psutil.process_iter(["cmdline", "pid"])
        if any(str(runner.run_dir) in word for word in process.info["cmdline"] or [])
    ]
    try:
        check_free(runner.base, OFFSETS)
    except PortTaken as taken:
        left.append(str(taken))
    return left
