"""The rooms themselves: templates with the names filled in."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from string import Template

ROOT = Path(__file__).resolve().parents[2]
ROOMS = Path(__file__).parent / "rooms"


@dataclass(frozen=True, slots=True)
class Names:
    """What a new service is called, and when it was begun."""

    service: str
    noun: str
    stamp: str

    def words(self) -> dict[str, str]:
        return {
            "service": self.service,
            "SERVICE": self.service.upper(),
            "noun": self.noun,
            "nouns": f"{self.noun}s",
            "Noun": self.noun.capitalize(),
            "NOUN": self.noun.upper(),
            "stamp": self.stamp,
        }


def stamp(names: Names) -> None:
    """Write services/<name>."""
    home = ROOT / "services" / names.service
    for template in sorted(ROOMS.rglob("*.tmpl")):
        target = home / _place(template.relative_to(ROOMS), names)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(Template(template.read_text("utf-8")).substitute(names.words()), "utf-8")
    # Names differ in length and order: the formatter has the last word.
    for arguments in (("check", "--fix", "--select", "I"), ("format",)):
        subprocess.run([sys.executable, "-m", "ruff", *arguments, "--quiet", str(home)], cwd=ROOT, check=True)


def _place(template: Path, names: Names) -> Path:
    parts = [names.service if part == "service" else part for part in template.with_suffix("").parts]
    if parts[0] == "migrations":
        parts[-1] = f"{names.stamp}_{parts[-1]}"
    return Path(*parts)
