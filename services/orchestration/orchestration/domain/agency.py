"""Acting for a legal person (法人): by its representative or its agent (经办人), in the matters that were given."""

from dataclasses import dataclass

from orchestration.domain.definition import Definition, Subject
from orchestration.domain.refusals import AgentOnly, MatterNotGiven, MatterOfPersons


@dataclass(frozen=True, slots=True)
class Agency:
    """The legal person that somebody acts for now, and in which matters; None is every matter."""

    legal_person_id: str
    matters: frozenset[str] | None


def applicant_of(definition: Definition, caller_id: str, agency: Agency | None) -> str:
    """Tell whose filing it is: the caller's own, or the legal person's that the caller acts for."""
    if definition.subject is Subject.PERSON:
        if agency is not None:
            raise MatterOfPersons(matter_code=definition.code)
        return caller_id
    if agency is None:
        raise AgentOnly(matter_code=definition.code)
    if agency.matters is not None and definition.code not in agency.matters:
        raise MatterNotGiven(matter_code=definition.code)
    return agency.legal_person_id
