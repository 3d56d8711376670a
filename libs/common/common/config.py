"""Settings from the environment, and the sentences for people from the locale folder."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Formatter

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from common.errors import Refusal, RemoteRefusal

_SECRET_NAME = re.compile(r"secret|password|token|key|seed|pem")
_URL_PASSWORD = re.compile(r"(?<=://)([^:/@\s]*):[^@\s]*@")
_OURS = Path(__file__).parent / "locale"


class Settings(BaseSettings):
    """What may vary between places. A subclass gives its prefix: `class Settings(config.Settings, env_prefix="X_")`."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore")

    def describe(self) -> dict[str, object]:
        """Show what the process runs with, without a secret in it."""
        return {name: _redacted(name, getattr(self, name)) for name in type(self).model_fields}


def _redacted(name: str, value: object) -> object:
    if isinstance(value, SecretStr) or (_SECRET_NAME.search(name) and value):
        return "***"
    if isinstance(value, int | float | bool | None):
        return value
    if isinstance(value, list | tuple | set | frozenset):
        return [_redacted(name, each) for each in value]
    if isinstance(value, Mapping):
        return {str(key): _redacted(str(key), each) for key, each in value.items()}
    return _URL_PASSWORD.sub(r"\1:***@", str(value))


@dataclass(frozen=True, slots=True)
class Sentences:
    """The Chinese sentence of every reason."""

    by_reason: Mapping[str, str]

    def say(self, refusal: Refusal) -> str:
        """Say the refusal to a person; a reason without a sentence says what its family says."""
        if isinstance(refusal, RemoteRefusal) and refusal.reason not in self.by_reason:
            return refusal.sentence or self.by_reason[refusal.kind.name]
        for family in (refusal, *type(refusal).__mro__):
            template = self.by_reason.get(getattr(family, "reason", ""))
            if template is not None:
                return Formatter().vformat(template, (), _Data(refusal.data))
        return self.by_reason[refusal.kind.name]

    def require(self, package: str) -> None:
        """Refuse to start when a refusal of the package has no sentence."""
        silent = sorted(
            refusal.reason
            for refusal in _family(Refusal)
            if refusal.__module__.split(".")[0] == package and refusal.reason not in self.by_reason
        )
        if silent:
            raise RuntimeError(f"no sentence in {package}/locale/zh_CN.json for {', '.join(silent)}")


class _Data(dict[str, object]):
    def __missing__(self, key: str) -> str:
        return "…"


def _family(root: type[Refusal]) -> set[type[Refusal]]:
    return {root}.union(*(_family(each) for each in root.__subclasses__())) - {RemoteRefusal}


def sentences(folder: Path) -> Sentences:
    """Read a service's sentences (`<folder>/zh_CN.json`) over ours."""
    merged: dict[str, str] = {}
    for place in (_OURS, folder):
        merged |= json.loads((place / "zh_CN.json").read_text(encoding="utf-8"))
    return Sentences(merged)
