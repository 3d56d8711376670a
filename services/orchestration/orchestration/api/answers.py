"""What applicants are answered: filings, plans, cases and what happened, in words."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from orchestration.domain.case import Case, Status
from orchestration.domain.definition import Source
from orchestration.domain.filing import Dossier, State
from orchestration.domain.plan import Material, Plan, Standing
from orchestration.domain.terms import Absence, Pause, Supplement
from orchestration.store.cases import Outcome
from orchestration.usecases.filings import Told

type Sentences = Mapping[str, str]


class _Data(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "…"


def say(sentences: Sentences, reason: str, data: Mapping[str, Any]) -> str:
    """The sentence of a reason, with the names that it mentions."""
    return sentences[reason].format_map(_Data(data))


@dataclass(frozen=True, slots=True)
class CaseAnswer:
    """A case within the applicant's filing."""

    case_id: str
    case_no: str
    item: str
    item_name: str
    org_path: str
    status: Status
    depends_on: tuple[str, ...]
    version: int
    ready_at: datetime | None
    accepted_at: datetime | None
    decided_at: datetime | None
    promised_due_at: datetime | None
    statutory_due_at: datetime | None
    reason_code: str | None
    licence_id: str | None
    competent_organ: str | None
    supplement: Supplement | None
    absence: Absence | None
    pause: Pause | None
    result: dict[str, Any] | None
    explanation: str | None

    @classmethod
    def of(cls, case: Case, outcome: Outcome | None = None) -> Self:
        return cls(
            case_id=case.id,
            case_no=case.no,
            item=case.item,
            item_name=case.item_name,
            org_path=case.org_path,
            status=case.status,
            depends_on=tuple(dependency.item for dependency in case.waits_for),
            version=case.version,
            ready_at=case.ready_at,
            accepted_at=case.accepted_at,
            decided_at=case.decided_at,
            promised_due_at=case.promised_due_at,
            statutory_due_at=case.statutory_due_at,
            reason_code=case.reason_code,
            licence_id=case.licence_id,
            competent_organ=case.competent_organ,
            supplement=case.supplement,
            absence=case.absence,
            pause=case.pause,
            result=outcome.result if outcome else None,
            explanation=outcome.explanation if outcome else None,
        )


@dataclass(frozen=True, slots=True)
class FilingLine:
    """A filing in a list."""

    filing_id: str
    filing_no: str | None
    matter_code: str
    matter_name: str
    matter_version: int
    region_code: str
    # The legal person whose filing it is and who acts for it; both empty when a person files for himself or herself.
    on_behalf_of: str | None
    agent_id: str | None
    state: State
    revision: int
    open_cases: int
    created_at: datetime | None
    submitted_at: datetime | None
    closed_at: datetime | None

    @classmethod
    def of(cls, dossier: Dossier) -> Self:
        filing = dossier.filing
        return cls(
            filing_id=filing.id,
            filing_no=filing.no,
            matter_code=filing.matter_code,
            matter_name=dossier.matter_name,
            matter_version=filing.matter_version,
            region_code=filing.region_code,
            on_behalf_of=filing.on_behalf_of,
            agent_id=filing.agent_id,
            state=filing.state,
            revision=filing.revision,
            open_cases=filing.open_cases,
            created_at=filing.created_at,
            submitted_at=filing.submitted_at,
            closed_at=filing.closed_at,
        )


@dataclass(frozen=True, slots=True)
class FilingAnswer:
    """The applicant's own filing with what was written and its cases."""

    filing_id: str
    filing_no: str | None
    matter_code: str
    matter_name: str
    matter_version: int
    region_code: str
    on_behalf_of: str | None
    agent_id: str | None
    state: State
    revision: int
    version: int
    open_cases: int
    form: Mapping[str, Any]
    determinants: Mapping[str, str]
    created_at: datetime | None
    submitted_at: datetime | None
    closed_at: datetime | None
    cases: tuple[CaseAnswer, ...]

    @classmethod
    def of(cls, dossier: Dossier, outcomes: Mapping[str, Outcome] | None = None) -> Self:
        filing = dossier.filing
        return cls(
            filing_id=filing.id,
            filing_no=filing.no,
            matter_code=filing.matter_code,
            matter_name=dossier.matter_name,
            matter_version=filing.matter_version,
            region_code=filing.region_code,
            on_behalf_of=filing.on_behalf_of,
            agent_id=filing.agent_id,
            state=filing.state,
            revision=filing.revision,
            version=filing.version,
            open_cases=filing.open_cases,
            form=dossier.content.form,
            determinants=dossier.content.answers,
            created_at=filing.created_at,
            submitted_at=filing.submitted_at,
            closed_at=filing.closed_at,
            cases=tuple(CaseAnswer.of(case, (outcomes or {}).get(case.item)) for case in filing.cases),
        )


@dataclass(frozen=True, slots=True)
class PlannedItemAnswer:
    """An item of the plan: whether it applies and why, in which level, by when."""

    code: str
    name: str
    department: str
    applies: bool
    reason: str
    text: str
    data: Mapping[str, Any]
    org_id: str | None
    org_name: str | None
    depends_on: tuple[str, ...]
    level: int | None
    promised_due_at: datetime | None
    statutory_due_at: datetime | None


@dataclass(frozen=True, slots=True)
class MaterialAnswer:
    """A material of the plan or of a case: how it stands and why."""

    code: str
    name: str
    source: Source
    status: Standing
    reason: str
    text: str
    required: bool
    used_by: tuple[str, ...]
    data: Mapping[str, Any]

    @classmethod
    def of(cls, material: Material, sentences: Sentences) -> Self:
        return cls(
            code=material.code,
            name=material.name,
            source=material.source,
            status=material.standing,
            reason=material.ground,
            text=say(sentences, material.ground, material.data),
            required=material.required,
            used_by=material.used_by,
            data=material.data,
        )


@dataclass(frozen=True, slots=True)
class PlanAnswer:
    """The plan of a filing; its digest is what submission must name."""

    plan_digest: str
    matter_code: str
    matter_version: int
    revision: int
    complete: bool
    items: tuple[PlannedItemAnswer, ...]
    materials: tuple[MaterialAnswer, ...]
    groups: list[list[str]]

    @classmethod
    def of(cls, plan: Plan, sentences: Sentences) -> Self:
        levels = sorted({item.level for item in plan.applying if item.level})
        return cls(
            plan_digest=plan.digest,
            matter_code=plan.matter_code,
            matter_version=plan.matter_version,
            revision=plan.revision,
            complete=not plan.lacking,
            items=tuple(
                PlannedItemAnswer(
                    code=item.code,
                    name=item.name,
                    department=item.department,
                    applies=item.chosen.applies,
                    reason=item.chosen.reason,
                    text=say(sentences, item.chosen.reason, item.chosen.data),
                    data=item.chosen.data,
                    org_id=item.org.org_id if item.org else None,
                    org_name=item.org.name if item.org else None,
                    depends_on=tuple(dependency.item for dependency in item.waits_for),
                    level=item.level,
                    promised_due_at=item.promised_due_at,
                    statutory_due_at=item.statutory_due_at,
                )
                for item in plan.items
            ),
            materials=tuple(MaterialAnswer.of(material, sentences) for material in plan.materials),
            groups=[[item.code for item in plan.applying if item.level == level] for level in levels],
        )


@dataclass(frozen=True, slots=True)
class ToldIn:
    """The document that tells of an act: its page is `/v1/documents/{document_id}.pdf`."""

    document_id: str
    no: str
    title: str


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """Something that happened to a filing, in words: when, by which organ if one acted, and in which document."""

    entry_id: str
    at: datetime
    act: str
    text: str
    case_id: str | None
    item: str | None
    org_path: str | None
    org_name: str | None
    document: ToldIn | None

    @classmethod
    def of(cls, told: Told, sentences: Sentences) -> Self:
        entry, document = told.entry, told.document
        code = entry.details.get("reason") or entry.details.get("reason_code") or ""
        reason = sentences.get(code, code)
        return cls(
            entry_id=entry.id,
            at=entry.at,
            act=entry.act,
            text=say(sentences, entry.act, {**entry.details, "reason": reason}),
            case_id=entry.case_id,
            item=entry.details.get("item"),
            org_path=entry.org_path,
            org_name=told.org_name,
            document=ToldIn(document.document_id, document.no, sentences[f"DOCUMENT_{document.kind.upper()}"])
            if document
            else None,
        )
