"""How surely, and how lately, whoever files must be known (实名核验)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from orchestration.domain.definition import Definition
from orchestration.domain.refusals import ProofTooOld, ProofTooWeak


@dataclass(frozen=True, slots=True)
class Proof:
    """What accounts knows: the level, and when it was proven last; a time that is not told is too long ago."""

    level: int
    obtained_at: datetime | None


def refuse_unproven(definition: Definition, proof: Proof, *, at: datetime) -> None:
    """Refuse whoever is not known as surely, or was not proven as lately, as the matter needs."""
    if proof.level < definition.proof_level:
        raise ProofTooWeak(needed=definition.proof_level, held=proof.level)
    minutes = definition.proof_minutes
    if minutes is None:
        return
    if proof.obtained_at is None or at - proof.obtained_at > timedelta(minutes=minutes):
        raise ProofTooOld(level=definition.proof_level, minutes=minutes)
