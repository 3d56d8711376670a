"""Who reads for a legal person."""

from dataclasses import dataclass, fields
from typing import Self

from common.auth import Actor

from workbench.domain.agency import Agency


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent(Actor):
    """A citizen who acts for a legal person; the id stays the citizen's, and so do the receipts."""

    agency: Agency

    @classmethod
    def of(cls, actor: Actor, agency: Agency) -> Self:
        """Have a citizen act for a legal person."""
        return cls(**{each.name: getattr(actor, each.name) for each in fields(Actor)}, agency=agency)
