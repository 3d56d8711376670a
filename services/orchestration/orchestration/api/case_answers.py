"""What officers and operators are answered."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from worktime import Calendar, sentence

from orchestration.api.answers import MaterialAnswer, Sentences
from orchestration.api.deliveries import DeliveryAnswer
from orchestration.domain.case import Status
from orchestration.domain.correction import Correction
from orchestration.domain.limits import Light, light
from orchestration.domain.terms import Absence, Pause, Supplement
from orchestration.domain.watch import Alarm, Change
from orchestration.store.cases import CaseLine
from orchestration.store.operations import Incident, Motionless
from orchestration.usecases.cases import CaseDetail


@dataclass(frozen=True, slots=True)
class DueAnswer:
    """A due time, how it was counted, and the same as a sentence."""

    at: datetime
    text: str
    counted: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class AlarmAnswer:
    """What became of a licence that a material stands on."""

    requirement: str
    change: Change
    changed_at: datetime | None
    text: str

    @classmethod
    def of(cls, alarm: Alarm, sentences: Sentences) -> Self:
        return cls(
            requirement=alarm.requirement,
            change=alarm.change,
            changed_at=alarm.changed_at,
            text=sentences[f"EVIDENCE_{alarm.change.upper()}"],
        )


@dataclass(frozen=True, slots=True)
class CaseLineAnswer:
    """A case in a list; a broken promise and a broken law are two lights (红黄灯)."""

    case_id: str
    case_no: str
    filing_id: str
    matter_code: str
    item: str
    item_name: str
    org_path: str
    region_code: str
    status: Status
    version: int
    created_at: datetime
    ready_at: datetime | None
    accepted_at: datetime | None
    decided_at: datetime | None
    promised_due_at: datetime | None
    statutory_due_at: datetime | None
    evidence_changed: bool
    undelivered: bool
    promised_light: Light
    statutory_light: Light

    @classmethod
    def of(cls, line: CaseLine, *, at: datetime, calendar: Calendar) -> Self:
        running = line.status is Status.ACCEPTED
        promised, statutory = (
            light(clock, at=at, calendar=calendar) if running and clock else Light.GREEN
            for clock in (line.clocks.promised, line.clocks.statutory)
        )
        return cls(
            **{name: getattr(line, name) for name in CaseLine.__slots__ if name != "clocks"},
            promised_light=promised,
            statutory_light=statutory,
        )


@dataclass(frozen=True, slots=True)
class ReverifiedAnswer:
    """What still alarms after the licences were verified again."""

    case_id: str
    alarms: tuple[AlarmAnswer, ...]


@dataclass(frozen=True, slots=True)
class CaseDetailAnswer:
    """A case for the officer who decides it: only the item's own fields and materials."""

    case_id: str
    case_no: str
    filing_id: str
    matter_code: str
    matter_name: str
    matter_version: int
    item: str
    item_code: str
    item_name: str
    org_path: str
    region_code: str
    status: Status
    version: int
    ready_at: datetime | None
    accepted_at: datetime | None
    decided_at: datetime | None
    form: list[dict[str, Any]]
    materials: tuple[MaterialAnswer, ...]
    alarms: tuple[AlarmAnswer, ...]
    produced: dict[str, dict[str, Any]]
    promised_days: int
    statutory_days: int | None
    promised_due: DueAnswer | None
    statutory_due: DueAnswer | None
    result_name: str | None
    result_form: Mapping[str, Any]
    result: dict[str, Any] | None
    reason_code: str | None
    explanation: str | None
    licence_id: str | None
    supplement: Supplement | None
    absence: Absence | None
    pause: Pause | None
    deliveries: tuple[DeliveryAnswer, ...]
    corrections: tuple[Correction, ...]

    @classmethod
    def of(cls, detail: CaseDetail, sentences: Sentences, calendar: Calendar) -> Self:
        file, case, item = detail.file, detail.file.case, detail.item
        promised, statutory = case.clocks.due(calendar) if case.accepted_at else (None, None)
        return cls(
            case_id=case.id,
            case_no=case.no,
            filing_id=file.filing_id,
            matter_code=file.matter_code,
            matter_name=file.matter_name,
            matter_version=file.matter_version,
            item=case.item,
            item_code=item.item_code,
            item_name=case.item_name,
            org_path=case.org_path,
            region_code=case.region_code,
            status=case.status,
            version=case.version,
            ready_at=case.ready_at,
            accepted_at=case.accepted_at,
            decided_at=case.decided_at,
            form=[
                {"field": field, "title": detail.titles[field], "value": file.content.form.get(field)}
                for field in item.form_fields
            ],
            materials=tuple(MaterialAnswer.of(material, sentences) for material in case.materials),
            alarms=tuple(AlarmAnswer.of(alarm, sentences) for alarm in file.alarms),
            produced={
                code: {"licence_id": outcome.licence_id, "result": outcome.result}
                for code, outcome in detail.produced.items()
            },
            promised_days=item.promised_days,
            statutory_days=item.statutory_days,
            promised_due=DueAnswer(promised.at, sentence(promised, sentences), promised.as_dict())
            if promised
            else None,
            statutory_due=DueAnswer(statutory.at, sentence(statutory, sentences), statutory.as_dict())
            if statutory
            else None,
            result_name=item.result.name if item.result else None,
            result_form=item.result.fields if item.result else {},
            result=file.outcome.result,
            reason_code=case.reason_code,
            explanation=file.outcome.explanation,
            licence_id=case.licence_id,
            supplement=case.supplement,
            absence=case.absence,
            pause=case.pause,
            deliveries=tuple(map(DeliveryAnswer.of, detail.deliveries)),
            corrections=detail.corrections,
        )


@dataclass(frozen=True, slots=True)
class StuckAnswer:
    """What needs an operator: filings that nothing will move, and calls that were given up."""

    filings: list[Motionless]
    incidents: list[Incident]
