"""`make bench`: every figure anew, each into bench/results."""

import subprocess
import sys

RUNNER = (sys.executable, "-m", "tools.runner")
# rate limits are for people: the bench's few accounts file and decide for a whole city
HOUSE = (*RUNNER, "exec", "--instance", "bench", "--base", "22200", "--with-house", "--")


def main() -> None:
    subprocess.run((sys.executable, "-m", "bench.start"), check=True)
    subprocess.run((*HOUSE, sys.executable, "-m", "bench.newborn"), check=True)


if __name__ == "__main__":
    main()
