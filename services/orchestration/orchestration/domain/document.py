"""Documents (文书): the dated receipts and notices that the law wants in writing, one for each act on a case."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from orchestration.domain.case import Case
from orchestration.domain.filing import Dossier, Happened, Step

# What a document is laid out and worded by; a document keeps the one that it was issued with.
TEMPLATE = 2

_LOCAL = ZoneInfo("Asia/Shanghai")


class Kind(StrEnum):
    """Which document it is."""

    RECEIPT = "receipt"
    ACCEPTANCE = "acceptance"
    ABSENCE = "absence"
    ABSENCE_RECEIPT = "absence_receipt"
    DECLINE = "decline"
    SUPPLEMENT = "supplement"
    SUPPLEMENT_WITHDRAWAL = "supplement_withdrawal"
    SUPPLEMENT_RECEIPT = "supplement_receipt"
    PROCEDURE = "procedure"
    EXTENSION = "extension"
    APPROVAL = "approval"
    REFUSAL = "refusal"
    TERMINATION = "termination"
    WITHDRAWAL = "withdrawal"
    CORRECTION = "correction"


# The act that a document tells of; what a timer brings about is told like an officer's act.
_OF_ACT = {
    "accept_case": Kind.ACCEPTANCE,
    "timer_acceptance": Kind.ACCEPTANCE,
    "tolerate_absence": Kind.ABSENCE,
    "supply_materials": Kind.ABSENCE_RECEIPT,
    "decline_case": Kind.DECLINE,
    "request_supplement": Kind.SUPPLEMENT,
    "withdraw_request": Kind.SUPPLEMENT_WITHDRAWAL,
    "answer_supplement": Kind.SUPPLEMENT_RECEIPT,
    "stop_clock": Kind.PROCEDURE,
    "extend_limit": Kind.EXTENSION,
    "approve_case": Kind.APPROVAL,
    "refuse_case": Kind.REFUSAL,
    "timer_absence": Kind.REFUSAL,
    "terminate_case": Kind.TERMINATION,
    "timer_supplement": Kind.TERMINATION,
    "withdraw_case": Kind.WITHDRAWAL,
    "correct_case": Kind.CORRECTION,
}
# The letters of its number.
_LETTERS = {
    Kind.RECEIPT: "SJ",
    Kind.ACCEPTANCE: "SL",
    Kind.ABSENCE: "RQ",
    Kind.ABSENCE_RECEIPT: "RQSJ",
    Kind.DECLINE: "BSL",
    Kind.SUPPLEMENT: "BZ",
    Kind.SUPPLEMENT_WITHDRAWAL: "BZCX",
    Kind.SUPPLEMENT_RECEIPT: "BZSJ",
    Kind.PROCEDURE: "TS",
    Kind.EXTENSION: "YQ",
    Kind.APPROVAL: "ZY",
    Kind.REFUSAL: "BY",
    Kind.TERMINATION: "ZZ",
    Kind.WITHDRAWAL: "CH",
    Kind.CORRECTION: "GZ",
}


@dataclass(frozen=True, slots=True)
class Document:
    """An issued document; `content` is all that its page shows, and never changes."""

    document_id: str
    no: str
    kind: Kind
    case_id: str | None
    filing_id: str
    applicant_id: str
    org_name: str
    item_name: str
    content: Mapping[str, Any]
    issued_at: datetime


@dataclass(frozen=True, slots=True)
class Named:
    """Fields and materials by the names that people know them by."""

    fields: tuple[str, ...] = ()
    materials: tuple[str, ...] = ()


NOTHING = Named()


def document_of(
    act: str,
    dossier: Dossier,
    step: Step,
    case_id: str,
    *,
    document_id: str,
    explanation: str | None,
    named: Named,
    at: datetime,
) -> Document | None:
    """The document that an act on a case gives, if it gives one."""
    kind = _OF_ACT.get(act)
    if kind is None:
        return None
    filing, case = dossier.filing, step.filing.case(case_id)
    number = f"{case.no}-{_LETTERS[kind]}{_ordinal(kind, case)}"
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
        # Whether the law or a limit did it, and nobody's hand.
        "by_itself": act.startswith("timer_"),
        "received": _local(case.ready_at),
        "fields": named.fields,
        "materials": named.materials,
        "left_out": _left_out(step),
        **_particulars(kind, filing.case(case_id), case),
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


def receipt_of(dossier: Dossier, lead: str, *, document_id: str, at: datetime) -> Document:
    """What was handed in, and who does what with it (收件凭证)."""
    materials = [
        {"name": each.name, "standing": each.standing.value, "ground": each.ground.value}
        for each in (dossier.plan.materials if dossier.plan else ())
    ]
    return _of_filing(
        Kind.RECEIPT,
        dossier,
        lead,
        cases=dossier.filing.cases,
        materials=materials,
        document_id=document_id,
        at=at,
    )


def withdrawal_of(dossier: Dossier, step: Step, lead: str, *, document_id: str, at: datetime) -> Document:
    """That the applicant took back whatever was not decided (撤回确认书)."""
    return _of_filing(Kind.WITHDRAWAL, dossier, lead, cases=step.changed, document_id=document_id, at=at)


def _of_filing(
    kind: Kind,
    dossier: Dossier,
    lead: str,
    *,
    cases: Sequence[Case],
    document_id: str,
    at: datetime,
    materials: Sequence[Mapping[str, str]] = (),
) -> Document:
    filing = dossier.filing
    number = f"{filing.no}-{_LETTERS[kind]}"
    planned = dossier.plan.applying if dossier.plan else ()
    org_name = next((item.org.name for item in planned if item.org and item.department == lead), "")
    org_name = org_name or next((item.org.name for item in planned if item.org), "")
    content = {
        "template": TEMPLATE,
        "kind": kind.value,
        "no": number,
        "matter_name": dossier.matter_name,
        "filing_no": filing.no or "",
        "case_no": "",
        "org_name": org_name,
        "items": [
            {"name": case.item_name, "no": case.no, "org_name": _organisation(dossier, case)}
            for case in sorted(cases, key=lambda case: case.no)
        ],
        "materials": materials,
        "issued": _local(at),
    }
    return Document(
        document_id=document_id,
        no=number,
        kind=kind,
        case_id=None,
        filing_id=filing.id,
        applicant_id=filing.applicant_id,
        org_name=org_name,
        item_name=dossier.matter_name,
        content=content,
        issued_at=at,
    )


def _ordinal(kind: Kind, case: Case) -> str:
    """What tells documents of one kind apart where a case may have several."""
    match kind:
        case Kind.PROCEDURE:
            return str(len(case.clocks.promised.segments))
        case Kind.CORRECTION:
            return str(case.version)
        case _:
            return ""


def _particulars(kind: Kind, before: Case, case: Case) -> dict[str, Any]:
    """What only this kind of document tells: the reason by its code, days and the day that counts."""
    found: dict[str, Any] = {"reason": case.reason_code or "", "due": "", "days": 0, "before": ""}
    match kind:
        case Kind.SUPPLEMENT if case.supplement is not None:
            return found | {"reason": case.supplement.kind.value, "due": _local(case.supplement.due_at)}
        case Kind.SUPPLEMENT_WITHDRAWAL if case.supplement is not None:
            return found | {"before": _local(case.supplement.requested_at)}
        case Kind.ABSENCE if case.absence is not None:
            return found | {"due": _local(case.absence.due_at)}
        case Kind.PROCEDURE if case.pause is not None:
            reason, days, until = case.pause.procedure.value, case.pause.days, _local(case.pause.until)
            return found | {"reason": reason, "days": days, "due": until}
        case Kind.EXTENSION:
            added = case.clocks.promised.extensions[-1].days
            return found | {"days": added, "before": _local(before.promised_due_at)}
        case _:
            return found


def _left_out(step: Step) -> list[str]:
    """The items that cannot go on without this one."""
    return [fact.case.item_name for fact in step.facts if fact.happened is Happened.CASE_PRUNED and fact.case]


def _organisation(dossier: Dossier, case: Case) -> str:
    planned = dossier.plan.applying if dossier.plan else ()
    return next((item.org.name for item in planned if item.code == case.item and item.org), case.org_uscc)


def _local(at: datetime | None) -> str:
    if at is None:
        return ""
    return at.astimezone(_LOCAL).date().isoformat()
