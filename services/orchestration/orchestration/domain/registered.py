"""An app (应用) as the registry knows it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class AppKey:
    """A public key that an app signs with, and when."""

    key_id: str
    jwk: Mapping[str, str]
    valid_from: datetime
    valid_until: datetime

    def is_live(self, at: datetime) -> bool:
        return self.valid_from <= at < self.valid_until


@dataclass(frozen=True, slots=True)
class RegisteredApp:
    """A department's own system."""

    code: str
    org_path: str
    address: str
    client_id: str
    items: frozenset[str]
    keys: tuple[AppKey, ...]
    is_approved: bool

    def is_of(self, org_path: str) -> bool:
        """Whether it is the system of this department, or of one above it."""
        return org_path == self.org_path or org_path.startswith(f"{self.org_path}.")
