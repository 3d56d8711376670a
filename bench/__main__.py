"""`make bench`: every figure anew, each into bench/results."""

import os
import subprocess
import sys

RUNNER = (sys.executable, "-m", "tools.runner")
HOUSE = (*RUNNER, "exec", "--instance", "bench", "--base", "22200", "--with-house", "--")
# rate limits are for people: the bench's few accounts file and decide for a whole city
UNLIMITED = {"GATEWAY_PERSON_RATE": "100000", "GATEWAY_PERSON_BURST": "100000"}


def main() -> None:
    subprocess.run((sys.executable, "-m", "bench.start"), check=True)
    subprocess.run((*HOUSE, sys.executable, "-m", "bench.newborn"), check=True, env={**os.environ, **UNLIMITED})


if __name__ == "__main__":
    main()
