"""Acting for a legal person (法人): by its representative or its agent (经办人), in the matters that were given."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Agency:
    """The legal person that somebody acts for now, and in which matters; None is every matter."""

    legal_person_id: str
    matters: frozenset[str] | None
