"""What the verbs work with; `main` builds it."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from worktime import Calendar

from orchestration.clients import Accounts, Verification
from orchestration.store import Store


@dataclass(frozen=True, slots=True)
class Outside:
    """The other services that the verbs ask."""

    verification: Verification
    accounts: Accounts


@dataclass(frozen=True, slots=True)
class App:
    """The service: its memory, the others, the calendar, chance, and the sentences for reasons that are no refusals."""

    store: Store
    outside: Outside
    calendar: Calendar
    chance: Callable[[], float]
    sentences: Mapping[str, str]
    # Set after a commit that left a call to make, so that the clock door need not wait for its next turn.
    calls_due: asyncio.Event = field(default_factory=asyncio.Event)
