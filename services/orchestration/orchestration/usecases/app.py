"""What the verbs work with; `main` builds it."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from common.auth import CachedPosts, CachedStanding
from worktime import Calendar

from orchestration.clients import Accounts, Apps, Departments, Verification
from orchestration.store import Store


@dataclass(frozen=True, slots=True)
class Outside:
    """The other services that the verbs ask."""

    verification: Verification
    accounts: Accounts
    apps: Apps
    departments: Departments


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """The service: its memory, the others, and what it must be given to be told apart from the world.

    `sentences` are for reasons that are no refusals: why an item applies, how a material stands.
    """

    store: Store
    outside: Outside
    posts: CachedPosts
    standing: CachedStanding
    calendar: Calendar
    chance: Callable[[], float]
    sentences: Mapping[str, str]
    # Where the fonts of documents are.
    fonts: Path
    # Where apps call back, as they sign it.
    callback_url: str
    # Set after a commit that left a call to make, so that the clock door need not wait for its next turn.
    calls_due: asyncio.Event = field(default_factory=asyncio.Event)
