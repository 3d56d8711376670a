"""What a case was given time for: the terms of its item, and what was asked, put off or announced on the way."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class SupplementKind(StrEnum):
    """Why a department asks for more (许可法 Art. 32)."""

    INCOMPLETE = "SUPPLEMENT_INCOMPLETE"
    WRONG_FORM = "SUPPLEMENT_WRONG_FORM"
    CONTRADICTORY = "SUPPLEMENT_CONTRADICTORY"
    UNCLEAR = "SUPPLEMENT_UNCLEAR"


class Procedure(StrEnum):
    """The special procedures during which no limit runs (许可法 Art. 45)."""

    HEARING = "HEARING"
    BIDDING = "BIDDING"
    AUCTION = "AUCTION"
    INSPECTION = "INSPECTION"
    TESTING = "TESTING"
    QUARANTINE = "QUARANTINE"
    APPRAISAL = "APPRAISAL"
    EXPERT_REVIEW = "EXPERT_REVIEW"


@dataclass(frozen=True, slots=True)
class Terms:
    """Working days: to accept or ask for more, to answer that, to hand in what was tolerated as missing, to deliver."""

    acceptance_days: int = 5
    supplement_days: int = 15
    absence_days: int = 10
    delivery_days: int = 10


USUAL_TERMS = Terms()


@dataclass(frozen=True, slots=True)
class Supplement:
    """What a department asked for (补正), all at once and only once."""

    kind: SupplementKind
    fields: tuple[str, ...]
    materials: tuple[str, ...]
    requested_at: datetime
    due_at: datetime
    answered_at: datetime | None = None
    withdrawn_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Absence:
    """Minor materials that a case was accepted without (容缺受理), and by when they must be there."""

    materials: tuple[str, ...]
    due_at: datetime
    supplied_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        return self.supplied_at is None


@dataclass(frozen=True, slots=True)
class Pause:
    """A special procedure (特殊程序) with the days that the applicant was told in writing."""

    procedure: Procedure
    days: int
    since: datetime
    until: datetime
