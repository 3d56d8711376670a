"""The rules of the registry of apps (应用): departments' own systems, where they are called and how they sign.

Refusal
├── AppExists               another app has this code or this client
├── AppNotApproved          only what is approved can be suspended
├── Denied
│   └── AppOfAnother        the app would belong to another department
├── Invalid
│   ├── AddressUnsafe       the address leads where no department's system may be
│   └── KeysUnfit           no live key, more than two, or none that signs
└── NotFound
    └── AppNotFound
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from common.errors import Denied, Invalid, NotFound, Refusal

MOST_LIVE_KEYS = 2  # the one in use and the one that takes its place

_ADDRESS = re.compile(r"(https?)://([a-z0-9.-]+|\[[0-9a-f:.]+\])(?::(\d{1,5}))?((?:/[A-Za-z0-9._~-]+)*)")
_LOOPBACK = re.compile(r"localhost|127\.\d+\.\d+\.\d+|\[::1\]")
_SHAPES: Mapping[tuple[str, str], tuple[str, ...]] = {("EC", "P-256"): ("x", "y"), ("OKP", "Ed25519"): ("x",)}
_COORDINATE = re.compile(r"[A-Za-z0-9_-]{43}")


class AppExists(Refusal):
    """Another app has this code or this client."""


class AppNotApproved(Refusal):
    """The app is not approved."""


class AppOfAnother(Denied):
    """The app would belong to another department."""


class AddressUnsafe(Invalid):
    """The address leads where no department's system may be."""


class KeysUnfit(Invalid):
    """The keys are none, too many or not of a kind that signs."""


class AppNotFound(NotFound):
    """There is no such app."""


class AppState(StrEnum):
    """Whether an app is called."""

    DRAFT = "draft"
    APPROVED = "approved"
    SUSPENDED = "suspended"


@dataclass(frozen=True, slots=True)
class AppKey:
    """A public key that an app signs with (RFC 7517), and when."""

    key_id: str
    jwk: Mapping[str, str]
    valid_from: datetime
    valid_until: datetime


@dataclass(frozen=True, slots=True)
class App:
    """A department's own system."""

    code: str
    name: str
    org_id: UUID
    org_path: str
    region_code: str
    contact: str
    address: str
    client_id: str
    items: tuple[str, ...]
    keys: tuple[AppKey, ...]
    state: AppState = AppState.DRAFT
    version: int = 1


@dataclass(frozen=True, slots=True)
class AddressRules:
    """Where an app may be: https anywhere that is public; the loopback of a developer's machine if it is said so."""

    loopback: bool = False


def register(app: App, *, rules: AddressRules, at: datetime) -> App:
    """Look over an app before it is remembered."""
    refuse_unsafe(app.address, rules)
    _refuse_unfit(app.keys, at)
    return app


def change(app: App, wanted: App, *, rules: AddressRules, at: datetime) -> App:
    """Change an app; what the platform looked at when it approved makes it a draft again, a new key does not."""
    register(wanted, rules=rules, at=at)
    kept = replace(wanted, state=app.state, version=app.version)
    if kept == app:
        return app
    looked_at = ("address", "client_id", "items", "org_path")
    if app.state is AppState.APPROVED and any(getattr(app, name) != getattr(wanted, name) for name in looked_at):
        kept = replace(kept, state=AppState.DRAFT)
    return replace(kept, version=app.version + 1)


def approve(app: App) -> App:
    """Let an app be called (批准); the same again changes nothing."""
    if app.state is AppState.APPROVED:
        return app
    return replace(app, state=AppState.APPROVED, version=app.version + 1)


def suspend(app: App) -> App:
    """Let an app be called no more (停用); the same again changes nothing."""
    if app.state is AppState.SUSPENDED:
        return app
    if app.state is AppState.DRAFT:
        raise AppNotApproved(code=app.code)
    return replace(app, state=AppState.SUSPENDED, version=app.version + 1)


def refuse_unsafe(address: str, rules: AddressRules) -> None:
    """Refuse what is no plain https address; where its name leads is looked at again whenever it is called."""
    read = _ADDRESS.fullmatch(address)
    if read is None or int(read[3] or 443) > 65535:  # noqa: PLR2004 - the highest port there is
        raise AddressUnsafe(rule="FORM")
    loopback = _LOOPBACK.fullmatch(read[2]) is not None
    if loopback and not rules.loopback:
        raise AddressUnsafe(rule="LOOPBACK")
    if read[1] == "http" and not loopback:
        raise AddressUnsafe(rule="HTTPS")


def _refuse_unfit(keys: tuple[AppKey, ...], at: datetime) -> None:
    live = [key for key in keys if key.valid_until > at]
    if not 1 <= len(live) <= MOST_LIVE_KEYS or len(keys) != len({key.key_id for key in keys}):
        raise KeysUnfit(rule="LIVE_KEYS", most=MOST_LIVE_KEYS)
    for key in keys:
        if key.valid_until <= key.valid_from:
            raise KeysUnfit(rule="VALIDITY", key_id=key.key_id)
        coordinates = _SHAPES.get((key.jwk.get("kty", ""), key.jwk.get("crv", "")))
        wanted = {"kty", "crv", *(coordinates or ())}
        if coordinates is None or set(key.jwk) != wanted:
            raise KeysUnfit(rule="KIND", key_id=key.key_id)
        if not all(_COORDINATE.fullmatch(key.jwk[name]) for name in coordinates):
            raise KeysUnfit(rule="KIND", key_id=key.key_id)
