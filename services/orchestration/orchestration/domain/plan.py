"""The plan of a filing (办理方案): what applies, what is asked for or waived and why, in which order, until when."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any

from worktime import Calendar, due

from orchestration.domain.choice import Chosen, choose_items
from orchestration.domain.conditions import holds
from orchestration.domain.definition import (
    Definition,
    Dependency,
    Necessity,
    Requirement,
    Source,
    canonical,
    people_of,
)
from orchestration.domain.refusals import DepartmentMissing


class Found(StrEnum):
    """What the licence library says about one query."""

    VERIFIED = "verified"
    MISSING = "missing"
    INVALID = "invalid"
    CONSENT_NEEDED = "consent_needed"


@dataclass(frozen=True, slots=True)
class LicenceQuery:
    """Which licence of whom is asked for; the key is the requirement's code."""

    key: str
    licence_type: str
    holder_id: str


@dataclass(frozen=True, slots=True)
class Finding:
    """The library's answer to one query."""

    found: Found
    licence_id: str | None = None
    version: int | None = None
    evidence_id: str | None = None
    # The first moment at which the licence no longer holds.
    valid_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Department:
    """The body that does the items of a department in a region."""

    code: str
    org_id: str
    org_path: str
    region_code: str
    uscc: str
    name: str


class Standing(StrEnum):
    """How a material stands."""

    WAIVED = "waived"
    PROVIDED = "provided"
    NEEDED = "needed"


class Ground(StrEnum):
    """Why it stands so; the sentences are in the locale."""

    LICENCE_VERIFIED = "MATERIAL_LICENCE_VERIFIED"
    PRODUCED_BY_ITEM = "MATERIAL_PRODUCED_BY_ITEM"
    IN_FORM = "MATERIAL_IN_FORM"
    FIELD_EMPTY = "MATERIAL_FIELD_EMPTY"
    UPLOADED = "MATERIAL_UPLOADED"
    CONSENT_NEEDED = "MATERIAL_CONSENT_NEEDED"
    LICENCE_MISSING = "MATERIAL_LICENCE_MISSING"
    LICENCE_INVALID = "MATERIAL_LICENCE_INVALID"
    HOLDER_UNKNOWN = "MATERIAL_HOLDER_UNKNOWN"
    HANDED_IN = "MATERIAL_HANDED_IN"


@dataclass(frozen=True, slots=True)
class Material:
    """One material, asked for once however many items use it."""

    code: str
    name: str
    source: Source
    standing: Standing
    ground: Ground
    required: bool
    used_by: tuple[str, ...]
    data: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_lacking(self) -> bool:
        return self.required and self.standing is Standing.NEEDED


@dataclass(frozen=True, slots=True)
class PlannedItem:
    """An item with the reason why it applies or not; the rest is set when it applies."""

    code: str
    name: str
    department: str
    chosen: Chosen
    org: Department | None = None
    waits_for: tuple[Dependency, ...] = ()
    level: int | None = None
    promised_due_at: datetime | None = None
    statutory_due_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything the applicant is shown before submitting; the digest names what matters of it."""

    matter_code: str
    matter_version: int
    revision: int
    items: tuple[PlannedItem, ...]
    materials: tuple[Material, ...]
    digest: str

    @property
    def applying(self) -> tuple[PlannedItem, ...]:
        return tuple(item for item in self.items if item.chosen.applies)

    @property
    def lacking(self) -> tuple[Material, ...]:
        return tuple(material for material in self.materials if material.is_lacking)

    def materials_of(self, item: str) -> tuple[Material, ...]:
        return tuple(material for material in self.materials if item in material.used_by)


@dataclass(frozen=True, slots=True)
class Draft:
    """What a plan is made from on the applicant's side; each revision of form or answers counts up."""

    revision: int
    applicant_id: str
    answers: Mapping[str, str]
    form: Mapping[str, Any]
    # Which attachments were uploaded for which requirement.
    uploaded: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def licence_queries(definition: Definition, draft: Draft) -> tuple[LicenceQuery, ...]:
    """Every licence that the applying items need, once; a role that nobody has is not asked for."""
    people = people_of(definition, draft.applicant_id, draft.form)
    used = _used_by(definition, choose_items(definition, draft.answers, draft.form), draft)
    return tuple(
        LicenceQuery(requirement.code, requirement.licence_type or "", people[requirement.holder])
        for requirement in definition.requirements
        if requirement.code in used and requirement.source is Source.LICENCE and requirement.holder in people
    )


def compile_plan(
    definition: Definition,
    version: int,
    draft: Draft,
    *,
    departments: Mapping[str, Department],
    findings: Mapping[str, Finding],
    calendar: Calendar,
    at: datetime,
) -> Plan:
    """Lay down items, materials, order and due dates; the same input gives the same plan."""
    chosen = choose_items(definition, draft.answers, draft.form)
    planned = _items(definition, chosen, departments, calendar, at)
    materials = _materials(definition, chosen, draft, findings)
    items = tuple(planned[item.code] for item in definition.items)
    content = [
        [definition.code, version, draft.revision, draft.answers],
        [[item.code, item.chosen.applies, item.chosen.reason, item.org and item.org.org_id] for item in items],
        [asdict(material) for material in materials],
    ]
    return Plan(
        matter_code=definition.code,
        matter_version=version,
        revision=draft.revision,
        items=items,
        materials=materials,
        digest=sha256(canonical(content).encode()).hexdigest(),
    )


def find_again(
    definition: Definition,
    draft: Draft,
    materials: Sequence[Material],
    *,
    findings: Mapping[str, Finding],
    handed_in: Collection[str],
) -> tuple[Material, ...]:
    """Materials of a case after a supplement: what was uploaded or handed in is there, the rest stands as found.

    The draft holds the uploads that the answer names, and no others.
    """

    def now(material: Material) -> Material:
        requirement = definition.requirement[material.code]
        finding, scans = findings.get(material.code), draft.uploaded.get(material.code)
        if scans and requirement.source is not Source.LICENCE:
            data = {**material.data, "attachments": list(scans)}
            return replace(material, standing=Standing.PROVIDED, ground=Ground.UPLOADED, data=data)
        if not scans and material.code in handed_in:
            return replace(material, standing=Standing.PROVIDED, ground=Ground.HANDED_IN)
        if requirement.source is Source.PRODUCED:
            return material
        if requirement.source is Source.LICENCE and finding is None and not scans:
            return material
        standing, ground, data = _stands(definition, requirement, draft, findings)
        if finding is not None and finding.evidence_id is not None:
            data["evidence_id"] = finding.evidence_id
        return replace(material, standing=standing, ground=ground, data=data)

    return tuple(map(now, materials))


def difference(shown: Plan, now: Plan) -> list[dict[str, Any]]:
    """What is another in the plan than what the applicant saw."""
    changes: list[dict[str, Any]] = []
    if shown.revision != now.revision:
        changes.append({"what": "revision", "before": shown.revision, "after": now.revision})
    items_before = {item.code: (item.chosen.applies, item.org and item.org.org_id) for item in shown.items}
    changes.extend(
        {"what": "item", "item": item.code, "applies": item.chosen.applies}
        for item in now.items
        if items_before.get(item.code) != (item.chosen.applies, item.org and item.org.org_id)
    )
    before = {material.code: material for material in shown.materials}
    after = {material.code: material for material in now.materials}
    for code in sorted(before.keys() | after.keys()):
        old, new = before.get(code), after.get(code)
        if old != new:
            changes.append(
                {"what": "material", "material": code, "before": old and old.ground, "after": new and new.ground}
            )
    return changes


def _items(
    definition: Definition,
    chosen: Mapping[str, Chosen],
    departments: Mapping[str, Department],
    calendar: Calendar,
    at: datetime,
) -> dict[str, PlannedItem]:
    """Each item begins when those it waits for are promised to end; items of a level run in parallel."""
    planned: dict[str, PlannedItem] = {}
    for code in definition.order:
        item, choice = definition.item[code], chosen[code]
        if not choice.applies:
            planned[code] = PlannedItem(code, item.name, item.department, choice)
            continue
        if item.department not in departments:
            raise DepartmentMissing(item=code, department=item.department)
        waits_for = tuple(dependency for dependency in item.depends_on if chosen[dependency.item].applies)
        before = [planned[dependency.item] for dependency in waits_for]
        start = max((other.promised_due_at or at for other in before), default=at)
        planned[code] = PlannedItem(
            code,
            item.name,
            item.department,
            choice,
            org=departments[item.department],
            waits_for=waits_for,
            level=1 + max((other.level or 0 for other in before), default=0),
            promised_due_at=due(start, item.promised_days, calendar).at,
            statutory_due_at=due(start, item.statutory_days, calendar).at if item.statutory_days else None,
        )
    return planned


def _used_by(definition: Definition, chosen: Mapping[str, Chosen], draft: Draft) -> dict[str, tuple[str, ...]]:
    """The materials that are asked for here, each with the items that ask."""
    used: dict[str, tuple[str, ...]] = {}
    for item in definition.items:
        for need in item.requirements if chosen[item.code].applies else ():
            when = definition.requirement[need.requirement].when
            if when is None or holds(when, draft.answers, draft.form):
                used[need.requirement] = (*used.get(need.requirement, ()), item.code)
    return used


def _materials(
    definition: Definition, chosen: Mapping[str, Chosen], draft: Draft, findings: Mapping[str, Finding]
) -> tuple[Material, ...]:
    """Each requirement once, with the items that use it; required if one of them cannot do without."""
    used = _used_by(definition, chosen, draft)
    required = {
        need.requirement
        for item in definition.items
        if chosen[item.code].applies
        for need in item.requirements
        if need.necessity is Necessity.REQUIRED
    }
    materials = []
    for requirement in definition.requirements:
        if requirement.code in used:
            standing, ground, data = _stands(definition, requirement, draft, findings)
            materials.append(
                Material(
                    code=requirement.code,
                    name=requirement.name,
                    source=requirement.source,
                    standing=standing,
                    ground=ground,
                    required=requirement.code in required,
                    used_by=used[requirement.code],
                    data=data,
                )
            )
    return tuple(materials)


def _stands(
    definition: Definition, requirement: Requirement, draft: Draft, findings: Mapping[str, Finding]
) -> tuple[Standing, Ground, dict[str, Any]]:
    match requirement.source:
        case Source.PRODUCED:
            # The checks saw to it that an item that needs this waits for the approval of the one that produces it.
            producer = definition.item[requirement.item or ""]
            return Standing.WAIVED, Ground.PRODUCED_BY_ITEM, {"item": producer.code, "item_name": producer.name}
        case Source.FORM:
            data = {"field": requirement.field}
            if draft.form.get(requirement.field or "") in (None, "", [], {}):
                return Standing.NEEDED, Ground.FIELD_EMPTY, data
            return Standing.PROVIDED, Ground.IN_FORM, data
        case Source.LICENCE:
            return _licence(definition, requirement, draft, findings.get(requirement.code))


_NEEDED = {
    Found.MISSING: Ground.LICENCE_MISSING,
    Found.INVALID: Ground.LICENCE_INVALID,
    Found.CONSENT_NEEDED: Ground.CONSENT_NEEDED,
}


def _licence(
    definition: Definition, requirement: Requirement, draft: Draft, finding: Finding | None
) -> tuple[Standing, Ground, dict[str, Any]]:
    holder_id = people_of(definition, draft.applicant_id, draft.form).get(requirement.holder or "")
    names = {role.code: role.name for role in definition.people}
    data: dict[str, Any] = {
        "licence_type": requirement.licence_type,
        "holder": requirement.holder,
        "holder_name": names[requirement.holder or ""],
        "holder_id": holder_id,
    }
    # A licence that verifies is better than any scan of it.
    scans = draft.uploaded.get(requirement.code)
    if scans and (finding is None or finding.found is not Found.VERIFIED):
        return Standing.PROVIDED, Ground.UPLOADED, {**data, "attachments": list(scans)}
    if holder_id is None:
        return Standing.NEEDED, Ground.HOLDER_UNKNOWN, data
    if finding is None:
        return Standing.NEEDED, Ground.LICENCE_MISSING, data
    if finding.found is not Found.VERIFIED:
        return Standing.NEEDED, _NEEDED[finding.found], data
    data |= {"licence_id": finding.licence_id, "version": finding.version}
    return Standing.WAIVED, Ground.LICENCE_VERIFIED, data
