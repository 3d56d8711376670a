"""`make audit`: asks the registries' advisory services about every package that we use. Whoever cannot ask says so."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LOCK = ROOT / "requirements.lock"
WITHIN = 120
# whoever answers with anything else, or with nothing, has not audited
FOUND = re.compile(r"found \d+ (?:known )?vulnerabilit", re.IGNORECASE)
AUDITS = {
    "Python": ["uv", "tool", "run", "pip-audit", "--requirement", str(LOCK), "--disable-pip", "--strict"],
    "JavaScript": ["npm", "audit", "--audit-level=low"],
}


def main() -> None:
    """Ask about each language; anything but a clean answer fails."""
    verdicts = {name: audited(command) for name, command in AUDITS.items()}
    for name, (verdict, said) in verdicts.items():
        print(f"{name:<12} {verdict}")
        if verdict != "clean":
            print(said[-4_000:])
    sys.exit(any(verdict != "clean" for verdict, _ in verdicts.values()))


def audited(command: list[str]) -> tuple[str, str]:
    """The verdict on one lock, and what the auditor said."""
    try:
        done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True, timeout=WITHIN)
    except (FileNotFoundError, subprocess.TimeoutExpired) as error:
        return "not audited", str(error)
    said = done.stdout + done.stderr
    if done.returncode == 0:
        return "clean", said
    return ("holes found" if FOUND.search(said) else "not audited"), said


if __name__ == "__main__":
    main()
