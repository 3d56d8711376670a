"""Splitting a filing into cases (拆分办件), one per applying item, and the numbers they are known by."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date

from worktime import Clock

from orchestration.domain.case import Case, Clocks, Status
from orchestration.domain.definition import Definition
from orchestration.domain.plan import Finding, Material, Plan, PlannedItem
from orchestration.domain.refusals import NoItemApplies

ONLINE = "01"  # the channel (办理渠道) that numbers carry


def number(region_code: str, day: date, serial: int) -> str:
    """A number that people see (办件编号): region, day, channel and serial."""
    return f"{region_code}{day:%Y%m%d}{ONLINE}{serial:06d}"


def split(
    definition: Definition, plan: Plan, *, evidence: Mapping[str, Finding], ids: Sequence[str], numbers: Sequence[str]
) -> tuple[Case, ...]:
    """The cases of a submitted plan; each keeps its own materials, with the evidence of what was verified."""
    if not plan.applying:
        raise NoItemApplies(matter_code=definition.code)
    named = zip(plan.applying, ids, numbers, strict=True)
    cases = (_case(definition, plan, item, case_id, no) for item, case_id, no in named)
    return tuple(
        replace(case, materials=tuple(_evidenced(material, evidence) for material in case.materials)) for case in cases
    )


def _case(definition: Definition, plan: Plan, planned: PlannedItem, case_id: str, no: str) -> Case:
    item, org = definition.item[planned.code], planned.org
    if org is None:
        raise NoItemApplies(matter_code=definition.code, item=planned.code)
    return Case(
        id=case_id,
        no=no,
        item=item.code,
        item_name=item.name,
        org_id=org.org_id,
        org_path=org.org_path,
        org_uscc=org.uscc,
        region_code=org.region_code,
        status=Status.WAITING,
        waits_for=planned.waits_for,
        open_dependencies=len(planned.waits_for),
        gives_licence=item.result is not None and item.result.licence_type is not None,
        clocks=Clocks(Clock(item.promised_days), Clock(item.statutory_days) if item.statutory_days else None),
        materials=plan.materials_of(item.code),
        app=item.handled_by.app if item.handled_by else None,
        terms=item.terms,
    )


def _evidenced(material: Material, evidence: Mapping[str, Finding]) -> Material:
    finding = evidence.get(material.code)
    if finding is None or finding.evidence_id is None:
        return material
    return replace(material, data={**material.data, "evidence_id": finding.evidence_id})
