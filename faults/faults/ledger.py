"""The ledger: what was asked, under which key, and what was answered; kept by those who ask, outside the house."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

JSON = dict[str, Any]


@dataclass(slots=True)
class Act:
    """One thing that was asked for, however often, under one idempotency key."""

    kind: str
    subject: str
    key: str
    body: JSON = field(default_factory=dict)
    asked: int = 0
    answered: bool = False
    answer: JSON = field(default_factory=dict)


class Ledger:
    """Acts by their key, and what was answered instead of an answer."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._moved: list[float] = [clock()]
        self.acts: dict[str, Act] = {}
        # answers that ask to come again, by their status and reason; a patient client comes again
        self.later: Counter[str] = Counter()
        # answers that nobody should get, whatever is broken
        self.wrong: Counter[str] = Counter()

    def ask(self, kind: str, subject: str, key: str, body: JSON) -> Act:
        return self.acts.setdefault(key, Act(kind, subject, key, body))

    def note(self, act: Act, answer: JSON) -> None:
        """An answer has come; only the first is news, and the house has moved."""
        if not act.answered:
            act.answered, act.answer = True, answer
            self._moved.append(self._clock())

    def answered(self, kind: str) -> list[Act]:
        return [act for act in self.acts.values() if act.kind == kind and act.answered]

    @property
    def moves(self) -> int:
        """How many acts were answered so far."""
        return len(self._moved) - 1

    @property
    def still_for(self) -> float:
        """Seconds since the last act was answered."""
        return self._clock() - self._moved[-1]

    @property
    def longest_stall(self) -> float:
        """The longest time in which no act at all was answered."""
        return max((later - sooner for sooner, later in zip(self._moved, self._moved[1:], strict=False)), default=0.0)
