"""What is started, in which order, and what is run in between: as data."""

import shlex
import sys
from dataclasses import dataclass
from pathlib import Path

from tools.runner.instance import ROOT, SERVICES
from tools.runner.servers import SERVERS

PROCFILE = ROOT / "Procfile"

# who must be ready before a server starts
SERVER_AFTER: dict[str, tuple[str, ...]] = {"postgres": (), "nats": (), "redis": (), "keycloak": ("postgres",)}


@dataclass(frozen=True, slots=True)
class Step:
    """A command that runs to its end before what comes after it may begin."""

    name: str
    command: tuple[str, ...]
    after: tuple[str, ...] = ()
    owner: str = ""  # the service whose environment it gets; all names if none

    def argv(self) -> tuple[str, ...]:
        return with_our_python(self.command)


MIGRATIONS = tuple(
    Step(f"{service}-migrate", ("python", "-m", f"{service}.main", "migrate"), ("postgres",), service)
    for service in SERVICES
)
REALMS = Step("realms", ("python", "-m", "accounts.main", "reconcile"), ("keycloak", "accounts-migrate"), "accounts")
PREPARATION = (*MIGRATIONS, REALMS)

# after everything is ready, with its output on the terminal
DEMO = (
    Step("the demo city", ("python", "-m", "demo.main", "load")),
    Step("the newborn's story", ("python", "-m", "demo.main", "play")),
    Step("the gallery", ("python", "-m", "demo.main", "gallery")),
)


@dataclass(frozen=True, slots=True)
class Service:
    name: str
    command: tuple[str, ...]


def services(procfile: Path = PROCFILE) -> list[Service]:
    """The Procfile's lines, in order: `name: command`."""
    found = []
    for number, line in enumerate(procfile.read_text().splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, colon, command = line.partition(":")
        if not colon or not command.strip() or name.strip() in SERVERS:
            raise ValueError(f"{procfile}:{number} is not `name: command`: {line}")
        found.append(Service(name.strip(), with_our_python(tuple(shlex.split(command)))))
    return found


def with_our_python(command: tuple[str, ...]) -> tuple[str, ...]:
    """`python` is the interpreter that runs us, whatever the PATH says."""
    return (sys.executable, *command[1:]) if command[0] == "python" else command
