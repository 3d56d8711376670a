"""Organisations (机构) in their tree, and which of them is a department in a region.

Refusal
└── OrganisationAlreadyFounded   the id or the path belongs to a record with other content
Invalid
├── ParentUnknown                there is no such parent that the caller may found under
├── LineParentUnknown            there is no such body to be guided by
├── LineDepartmentDiffers        a line (条) joins departments of one kind
├── RegionOutsideParent          a body's region lies within its parent's
└── RegionCodeMalformed
NotFound
└── OrganisationNotFound
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from common.errors import Invalid, NotFound, Refusal

from accounts.domain.identity import read_uscc, subject_fits

_REGION = re.compile(r"[1-9][0-9]{5}")
FIRST_VERSION = 1


class OrganisationAlreadyFounded(Refusal):
    """An organisation with this id or path exists with other content."""


class OrganisationNotFound(NotFound):
    """There is no such organisation."""


class ParentUnknown(Invalid):
    """The parent organisation is not known, or outside the caller's scope."""


class LineParentUnknown(Invalid):
    """The body that is to guide along the line is not known."""


class LineDepartmentDiffers(Invalid):
    """A professional line joins departments of one kind."""


class RegionOutsideParent(Invalid):
    """An organisation's region must lie within its parent's."""


class RegionCodeMalformed(Invalid):
    """A region code has six digits."""


@dataclass(frozen=True, slots=True)
class Organisation:
    """A body in the tree; its path of codes is what scopes compare."""

    org_id: UUID
    parent_id: UUID | None
    code: str
    name: str
    # What it is responsible for, e.g. "health"; empty for a government or an office within.
    department: str
    uscc: str
    # The organisation code within the USCC does not fit its own check character.
    uscc_doubtful: bool
    region_code: str
    org_path: str
    version: int
    # Who guides it professionally (条), beside the government that leads it (块).
    line_parent_id: UUID | None = None

    def same_content(self, other: "Organisation", *, same_id: bool) -> bool:
        """Say whether both say the same; the id counts only if it was chosen by who asks."""
        return replace(self, version=other.version, org_id=self.org_id if same_id else other.org_id) == other


def found(
    org_id: UUID,
    *,
    parent: Organisation | None,
    line_parent: Organisation | None = None,
    code: str,
    name: str,
    department: str,
    uscc: str,
    region_code: str,
) -> Organisation:
    """Found an organisation under its parent, or a root of the tree."""
    region = read_region(region_code)
    if parent is not None and not region.startswith(_open_part(parent.region_code)):
        raise RegionOutsideParent(region_code=region, parent_region_code=parent.region_code)
    if line_parent is not None:
        if not department or line_parent.department != department:
            raise LineDepartmentDiffers(department=department, line_department=line_parent.department)
        if not region.startswith(_open_part(line_parent.region_code)):
            raise RegionOutsideParent(region_code=region, parent_region_code=line_parent.region_code)
    body = read_uscc(uscc)
    return Organisation(
        org_id=org_id,
        parent_id=parent.org_id if parent else None,
        code=code,
        name=name,
        department=department,
        uscc=body,
        uscc_doubtful=not subject_fits(body),
        region_code=region,
        org_path=f"{parent.org_path}.{code}" if parent else code,
        version=FIRST_VERSION,
        line_parent_id=line_parent.org_id if line_parent else None,
    )


def read_region(code: str) -> str:
    if not _REGION.fullmatch(code):
        raise RegionCodeMalformed(region_code=code[:6])
    return code


def region_and_above(code: str) -> list[str]:
    """List a region (行政区划) and those above it, the nearest first: 370303, 370300, 370000."""
    region = read_region(code)
    return list(dict.fromkeys((region, f"{region[:4]}00", f"{region[:2]}0000")))


def nearest(found: Iterable[Organisation], regions: Sequence[str]) -> list[Organisation]:
    """Choose for each department the body in the nearest region; of two in one region the higher in the tree."""
    chosen: dict[str, Organisation] = {}

    def distance(organisation: Organisation) -> tuple[int, int, str]:
        path = organisation.org_path
        return regions.index(organisation.region_code), path.count("."), path

    for organisation in sorted(found, key=distance):
        chosen.setdefault(organisation.department, organisation)
    return list(chosen.values())


def _open_part(region: str) -> str:
    return re.sub(r"(?:00)+$", "", region)
