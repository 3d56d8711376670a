"""Whose filings somebody sees: the own ones, or those of the legal person that he or she acts for."""

from dataclasses import dataclass, fields
from typing import Any, Self

from common.auth import Actor
from common.scope import visible
from sqlalchemy import ColumnElement, and_

from orchestration.domain.agency import Agency


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent(Actor):
    """A citizen who acts for a legal person; the id stays the citizen's, so that the journal names who acted."""

    agency: Agency

    @classmethod
    def of(cls, actor: Actor, agency: Agency) -> Self:
        return cls(**{each.name: getattr(actor, each.name) for each in fields(Actor)}, agency=agency)


def agency_of(actor: Actor) -> Agency | None:
    """For which legal person the actor acts, if for one."""
    return actor.agency if isinstance(actor, Agent) else None


def in_sight(actor: Actor, *, owner: Any, matter: Any, region: Any = None, org: Any = None) -> ColumnElement[bool]:
    """Keep what the actor may see: an agent what the legal person filed in the matters that were given."""
    agency = agency_of(actor)
    if agency is None:
        return visible(actor, owner=owner, region=region, org=org)
    theirs: ColumnElement[bool] = owner == agency.legal_person_id
    return theirs if agency.matters is None else and_(theirs, matter.in_(agency.matters))
