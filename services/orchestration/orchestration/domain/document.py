"""Documents (文书): the dated receipts and notices that the law wants in writing, one for each act on a case."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from orchestration.domain.case import Case
from orchestration.domain.filing import Dossier

# What a document is laid out and worded by; a document keeps the one that it was issued with.
TEMPLATE = 1

_LOCAL = ZoneInfo("Asia/Shanghai")


class Kind(StrEnum):
    """Which document it is."""

    ACCEPTANCE = "acceptance"
    DECLINE = "decline"
    APPROVAL = "approval"
    REFUSAL = "refusal"


# The act that a document tells of, and the letters of its number.
_OF_ACT = {
    "accept_case": Kind.ACCEPTANCE,
    "decline_case": Kind.DECLINE,
    "approve_case": Kind.APPROVAL,
    "refuse_case": Kind.REFUSAL,
}
_LETTERS = {Kind.ACCEPTANCE: "SL", Kind.DECLINE: "BSL", Kind.APPROVAL: "ZY", Kind.REFUSAL: "BY"}


@dataclass(frozen=True, slots=True)
class Document:
    """An issued document; `content` is all that its page shows, and never changes."""

    document_id: str
    no: str
    kind: Kind
    case_id: str
    filing_id: str
    applicant_id: str
    org_name: str
    item_name: str
    content: Mapping[str, Any]
    issued_at: datetime


def document_of(
    act: str, dossier: Dossier, case: Case, *, document_id: str, explanation: str | None, at: datetime
) -> Document | None:
    """The document that an act on a case gives, if it gives one."""
    kind = _OF_ACT.get(act)
    if kind is None:
        return None
    filing = dossier.filing
    number = f"{case.no}-{_LETTERS[kind]}"
    org_name = _organisation(dossier, case)
    content = {
        "template": TEMPLATE,
        "kind": kind.value,
        "no": number,
        "matter_name": dossier.matter_name,
        "item_name": case.item_name,
        "filing_no": filing.no or "",
        "case_no": case.no,
        "org_name": org_name,
        "promised_due": _local(case.promised_due_at),
        "statutory_due": _local(case.statutory_due_at),
        "explanation": explanation or "",
        "competent_organ": case.competent_organ or "",
        "issued": _local(at),
    }
    return Document(
        document_id=document_id,
        no=number,
        kind=kind,
        case_id=case.id,
        filing_id=filing.id,
        applicant_id=filing.applicant_id,
        org_name=org_name,
        item_name=case.item_name,
        content=content,
        issued_at=at,
    )


def _organisation(dossier: Dossier, case: Case) -> str:
    planned = dossier.plan.applying if dossier.plan else ()
    return next((item.org.name for item in planned if item.code == case.item and item.org), case.org_uscc)


def _local(at: datetime | None) -> str:
    if at is None:
        return ""
    return at.astimezone(_LOCAL).date().isoformat()
