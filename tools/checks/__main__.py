"""`python -m tools.checks [name ...]`: runs the checks, one line each, and says what is wrong below."""

import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from tools.checks import budget, commands, declared, glossary, greps, routes, wording
from tools.checks.outcome import Outcome

# The slowest first: they run side by side.
CHECKS: dict[str, Callable[[], Outcome]] = {
    "types": commands.types,
    "routes": routes.permissions,
    "architecture": commands.architecture,
    "style": commands.style,
    "format": commands.formatting,
    "contract lint": commands.contract_style,
    "contract breaking": commands.contract_compatibility,
    "contract generated": commands.contract_generated,
    "contract facts": declared.facts,
    "contract access": declared.access,
    "glossary": glossary.glossary,
    "chinese": wording.chinese,
    "length": greps.lengths,
    "names": greps.names,
    "addresses": greps.addresses,
    "subjects": greps.subjects,
    "commits": greps.commits,
    "promises": greps.promises,
    "common budget": budget.common,
}
SIDE_BY_SIDE = 3
SHOWN = 60


def main() -> int:
    chosen = {name: check for name, check in CHECKS.items() if len(sys.argv) == 1 or name in sys.argv[1:]}
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        results = {name: pool.submit(_timed, check) for name, check in chosen.items()}
        failed: dict[str, Outcome] = {}
        for name, result in results.items():
            outcome, seconds = result.result()
            state = f"{len(outcome.problems)} lines" if outcome.problems else "ok"
            print(f"{name:<20} {state:<10} {seconds:5.1f} s  {outcome.note}", flush=True)
            if outcome.problems:
                failed[name] = outcome
    for name, outcome in failed.items():
        print(f"\n── {name}")
        print("\n".join(outcome.problems[:SHOWN]))
        if len(outcome.problems) > SHOWN:
            print(f"… and {len(outcome.problems) - SHOWN} more: python -m tools.checks '{name}'")
    return 1 if failed else 0


def _timed(check: Callable[[], Outcome]) -> tuple[Outcome, float]:
    begun = time.monotonic()
    try:
        outcome = check()
    except (subprocess.CalledProcessError, SyntaxError) as error:
        # A broken contract or file is this check's finding; the others still have theirs to say.
        outcome = Outcome((str(error),))
    return outcome, time.monotonic() - begun


if __name__ == "__main__":
    sys.exit(main())
