"""The watch (监测): what happens, before the decision, to licences that materials were waived for."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from orchestration.domain.case import Case
from orchestration.domain.plan import Finding, Found, Ground, Material
from orchestration.domain.refusals import EvidenceChanged, EvidenceUnchanged


class Change(StrEnum):
    """What became of a licence since it was verified."""

    VOIDED = "voided"
    RENEWED = "renewed"
    EXPIRED = "expired"
    UNVERIFIED = "unverified"


@dataclass(frozen=True, slots=True)
class Watch:
    """One material of a case that stands on one version of a licence."""

    case_id: str
    requirement: str
    licence_id: str
    version: int
    valid_until: datetime | None
    finding: Found = Found.VERIFIED


@dataclass(frozen=True, slots=True)
class Alarm:
    """That a licence is no longer what it was when the material was waived."""

    requirement: str
    change: Change
    changed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """An officer decides although evidence changed (知情决定): which materials, and why."""

    requirements: tuple[str, ...]
    reason: str


def watches_of(cases: Iterable[Case], evidence: Mapping[str, Finding]) -> tuple[Watch, ...]:
    """What must be watched of a submitted filing: each material of each case that was waived on a licence."""
    return tuple(
        Watch(case.id, material.code, found.licence_id, found.version or 0, found.valid_until)
        for case in cases
        for material in case.materials
        if material.ground is Ground.LICENCE_VERIFIED
        if (found := evidence.get(material.code)) is not None and found.licence_id is not None
    )


def refuse_changed(case_id: str, alarms: Collection[Alarm], acknowledged: Acknowledgement | None) -> None:
    """Approve only on evidence that holds, or on alarms that the officer named one by one."""
    named = set(acknowledged.requirements) if acknowledged else set()
    alarming = {alarm.requirement for alarm in alarms}
    if named - alarming:
        raise EvidenceUnchanged(case_id=case_id, requirements=sorted(named - alarming))
    if alarming - named:
        changes = [{"requirement": alarm.requirement, "change": alarm.change.value} for alarm in alarms]
        raise EvidenceChanged(case_id=case_id, changes=changes)


def reverified(watch: Watch, finding: Finding) -> Watch:
    """Watch what was found now; a licence that no longer holds keeps its alarm."""
    if finding.found is not Found.VERIFIED or finding.licence_id is None:
        return replace(watch, finding=finding.found if finding.found is not Found.VERIFIED else Found.MISSING)
    return replace(
        watch,
        licence_id=finding.licence_id,
        version=finding.version or 0,
        valid_until=finding.valid_until,
        finding=Found.VERIFIED,
    )


def with_evidence(materials: Iterable[Material], findings: Mapping[str, Finding]) -> tuple[Material, ...]:
    """The materials of a case with the evidence of a second verification."""
    return tuple(
        replace(
            material,
            data={
                **material.data,
                "licence_id": found.licence_id,
                "version": found.version,
                "evidence_id": found.evidence_id,
            },
        )
        if (found := findings.get(material.code)) is not None and found.found is Found.VERIFIED
        else material
        for material in materials
    )
