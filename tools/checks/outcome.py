"""What a check found: each problem is one line that says where and what to do."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Outcome:
    problems: tuple[str, ...] = ()
    note: str = ""
