"""Rows of filings and cases as the rules know them, and back."""

import json
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter
from sealing import KeyRing
from worktime import Clock

from orchestration.domain.case import Case, Clocks, Status
from orchestration.domain.definition import Dependency
from orchestration.domain.filing import Content, Filing, State
from orchestration.domain.plan import Material, Plan
from orchestration.domain.terms import Absence, Pause, Supplement, Terms
from orchestration.models import CaseRow, FilingRow

FILINGS: Any = FilingRow.__table__  # type: ignore[attr-defined]
CASES: Any = CaseRow.__table__  # type: ignore[attr-defined]
PLAN = TypeAdapter(Plan)
MATERIALS = TypeAdapter(tuple[Material, ...])
WAITS_FOR = TypeAdapter(tuple[Dependency, ...])
TERMS = TypeAdapter(Terms)
SUPPLEMENT = TypeAdapter(Supplement | None)
ABSENCE = TypeAdapter(Absence | None)
PAUSE = TypeAdapter(Pause | None)

_FILING_FIELDS = (
    "id",
    "no",
    "matter_code",
    "matter_version",
    "region_code",
    "applicant_id",
    "agent_id",
    "revision",
    "version",
    "open_cases",
    "created_at",
    "submitted_at",
    "closed_at",
)
_CASE_FIELDS = (
    "id",
    "no",
    "item",
    "item_name",
    "org_id",
    "org_path",
    "org_uscc",
    "region_code",
    "open_dependencies",
    "gives_licence",
    "version",
    "ready_at",
    "accepted_at",
    "decided_at",
    "promised_due_at",
    "statutory_due_at",
    "reason_code",
    "licence_id",
    "app",
    "competent_organ",
)
_ON_THE_WAY = ("terms", "supplement", "absence", "pause")
NEW_CASE = (
    *(*_CASE_FIELDS, "status", "waits_for", "clocks", "terms", "due", "materials"),
    *("filing_id", "applicant_id", "matter_code", "created_at"),
)
FILING_COLUMNS = [FILINGS.c[name].label(f"filing_{name}") for name in (*_FILING_FIELDS, "state")]
# What an act needs; what only a reader needs (materials, how due times were counted) is left out.
CASE_COLUMNS = [CASES.c[name] for name in (*_CASE_FIELDS, "status", "waits_for", "clocks", *_ON_THE_WAY)]


def filing_of(row: Any, cases: tuple[Case, ...] = ()) -> Filing:
    values = {name: getattr(row, f"filing_{name}") for name in _FILING_FIELDS}
    return Filing(**{**values, "id": str(row.filing_id)}, state=State(row.filing_state), cases=cases)


def case_of(row: Any) -> Case:
    read = {name: getattr(row, name) for name in _CASE_FIELDS}
    return Case(
        **{**read, "id": str(row.id)},
        status=Status(row.status),
        waits_for=WAITS_FOR.validate_python(row.waits_for),
        clocks=clocks_of(row.clocks),
        terms=TERMS.validate_python(row.terms),
        supplement=row.supplement and SUPPLEMENT.validate_python(row.supplement),
        absence=row.absence and ABSENCE.validate_python(row.absence),
        pause=row.pause and PAUSE.validate_python(row.pause),
        materials=MATERIALS.validate_python(getattr(row, "materials", ())),
        due=getattr(row, "due", {}),
    )


def case_values(case: Case, filing: Filing, at: datetime) -> dict[str, Any]:
    """A new case of a filing as a row."""
    return {
        **{name: getattr(case, name) for name in _CASE_FIELDS},
        "status": case.status.value,
        "waits_for": WAITS_FOR.dump_python(case.waits_for, mode="json"),
        "clocks": clocks_json(case.clocks),
        "terms": TERMS.dump_python(case.terms, mode="json"),
        "due": dict(case.due),
        "materials": MATERIALS.dump_python(case.materials, mode="json"),
        "filing_id": filing.id,
        "applicant_id": filing.applicant_id,
        "matter_code": filing.matter_code,
        "created_at": at,
    }


def clocks_of(stored: dict[str, Any]) -> Clocks:
    statutory = stored["statutory"]
    return Clocks(Clock.from_dict(stored["promised"]), Clock.from_dict(statutory) if statutory else None)


def clocks_json(clocks: Clocks) -> dict[str, Any]:
    return {
        "promised": clocks.promised.as_dict(),
        "statutory": clocks.statutory.as_dict() if clocks.statutory else None,
    }


def seal_json(keys: KeyRing, value: Any, *, bound: str) -> bytes:
    return keys.seal(json.dumps(value).encode(), bound=bound)


def open_json(keys: KeyRing, sealed: bytes, *, bound: str) -> Any:
    return json.loads(keys.open(sealed, bound=bound))


def content_of(keys: KeyRing, sealed: bytes, filing_id: str) -> Content:
    written = open_json(keys, sealed, bound=f"filings.content:{filing_id}")
    return Content(form=written["form"], answers=written["answers"])


def sealed_content(keys: KeyRing, content: Content, filing_id: str) -> bytes:
    written = {"form": dict(content.form), "answers": dict(content.answers)}
    return seal_json(keys, written, bound=f"filings.content:{filing_id}")
