"""How long the house takes to start, cold and warm, and how much memory it holds: `make bench`.

Cold: no data, no realms, everything installed. Warm: started again with its data. Memory is PSS: shared pages
count once.
"""

import json
import platform
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "bench" / "results" / "start.json"
RUNNER = (sys.executable, "-m", "tools.runner")
INSTANCE = "bench"
BASE = 22000
UP = "The house is up"
# the services' pools and caches fill before the memory is read
SETTLE = 5


def main() -> None:
    forget()
    result = {
        "processors": psutil.cpu_count(),
        "machine": platform.machine(),
        "python": platform.python_version(),
        "cold": start_once(),
        "warm": start_once(),
    }
    forget()
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(result, indent=1) + "\n")
    print(RESULTS.read_text())


def start_once() -> dict[str, object]:
    began = time.monotonic()
    command = (*RUNNER, "run", "--no-demo", "--instance", INSTANCE, "--base", str(BASE))
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as house:
        lines = []
        for line in house.stdout:
            lines.append(line.rstrip())
            if line.startswith(UP):
                break
        took = time.monotonic() - began
        if house.poll() is not None or not lines[-1].startswith(UP):
            sys.exit("\n".join(lines))
        time.sleep(SETTLE)
        memory, processor = weigh(house.pid)
        began = time.monotonic()
        house.send_signal(signal.SIGTERM)
        house.communicate()
    return {
        "seconds": round(took, 1),
        "processor_seconds": round(processor, 1),
        "stop_seconds": round(time.monotonic() - began, 1),
        "pss_mb": round(sum(memory.values())),
        "pss_mb_by_process": memory,
        "steps": lines,
    }


def weigh(pid: int) -> tuple[dict[str, int], float]:
    """Each process of the house with its share of memory, and the processor time of all."""
    memory: dict[str, int] = {}
    processor = 0.0
    runner = psutil.Process(pid)
    for process in (runner, *runner.children(recursive=True)):
        name = process.name()
        memory[name] = memory.get(name, 0) + round(process.memory_full_info().pss / 1e6)
        processor += sum(process.cpu_times()[:4])
    return memory, processor


def forget() -> None:
    file = ROOT / ".run" / INSTANCE
    if file.exists():
        subprocess.run([*RUNNER, "clean", "--instance", INSTANCE], cwd=ROOT, check=True)


if __name__ == "__main__":
    main()
