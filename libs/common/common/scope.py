"""What an actor may see: one filter for every read, list, count and export."""

import re

from sqlalchemy import ColumnElement, and_, false, or_, true

from common.auth import Actor
from common.permissions import Caller

type Column = ColumnElement[str] | None


def visible(
    actor: Actor, *, region: Column = None, org: Column = None, owner: Column = None, line: bool = False
) -> ColumnElement[bool]:
    """Keep the rows an actor may see: a citizen what is his or hers, an officer the post's region and department.

    `line` (条) adds the bodies that the post sees below its own along the professional line: for lists alone.
    """
    if actor.kind is Caller.SERVICE:
        return true()
    if actor.kind is Caller.CITIZEN:
        return false() if owner is None else owner == actor.id
    if actor.post is None:
        return false()
    prefix = region_prefix(actor.post.region_code)
    within = [] if region is None else [region.startswith(prefix, autoescape=True)]
    if org is not None:
        paths = (actor.post.org_path, *(actor.post.line_paths if line else ()))
        within.append(or_(*(or_(org == path, org.startswith(f"{path}.", autoescape=True)) for path in paths)))
    # A table that names neither a region nor a department is no officer's to see.
    return and_(*within) if within else false()


def region_prefix(code: str) -> str:
    """Strip the levels that a region code leaves open: 370300 is all of 3703."""
    return re.sub(r"(?:00)+$", "", code) if len(code) % 2 == 0 else code
