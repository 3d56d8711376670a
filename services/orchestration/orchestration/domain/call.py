"""Calls to other services (待办调用): tried until they succeed, given to people when they do not."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from orchestration.domain.case import Case
from orchestration.domain.definition import Item

LEASE = timedelta(seconds=60)  # longer than any call with its retries may take
MOST_ATTEMPTS = 8
_FIRST_PAUSE = timedelta(seconds=1)
_LONGEST_PAUSE = timedelta(minutes=5)


class Kind(StrEnum):
    """What is called for."""

    ISSUE_LICENCE = "issue_licence"
    CORRECT_LICENCE = "correct_licence"
    APP_CASE = "app_case"
    APP_END = "app_end"


class CallState(StrEnum):
    """How far a call is."""

    PENDING = "pending"
    DONE = "done"
    INCIDENT = "incident"


@dataclass(frozen=True, slots=True)
class IssueLicence:
    """Asks for the licence that a case results in; idempotent by the case."""

    case_id: str
    licence_type: str
    issuer_uscc: str
    issuer_org_id: str
    issuer_org_path: str
    region_code: str
    holder_ids: tuple[str, ...]
    face: dict[str, str]


@dataclass(frozen=True, slots=True)
class CorrectLicence:
    """Asks for a licence to show what is right; one that shows it already stays as it is."""

    case_id: str
    licence_id: str
    face: dict[str, str]


@dataclass(frozen=True, slots=True)
class Call:
    """A call that was taken to be made; `attempts` counts this one and fences off a slower taker."""

    id: str
    case_id: str
    filing_id: str
    attempts: int
    request: IssueLicence | CorrectLicence


def after_failure(attempts: int, *, at: datetime, chance: float) -> tuple[CallState, datetime]:
    """When to try again, twice as late each time and spread by chance; at the end it is an incident."""
    if attempts >= MOST_ATTEMPTS:
        return CallState.INCIDENT, at
    pause = min(_FIRST_PAUSE * 2 ** (attempts - 1), _LONGEST_PAUSE)
    return CallState.PENDING, at + pause * (0.5 + chance)


def licence_request(
    item: Item, case: Case, *, people: Mapping[str, str], form: Mapping[str, Any], result: Mapping[str, Any]
) -> IssueLicence | None:
    """What an approval asks to be issued, if anything: face data mapped from form and result by the definition."""
    if item.result is None or item.result.licence_type is None:
        return None
    sources = {"form": form, "result": result}
    face = {}
    for name, source in item.result.face.items():
        part, _, field = source.partition(".")
        value = sources[part].get(field)
        if value is not None:
            face[name] = str(value)
    return IssueLicence(
        case_id=case.id,
        licence_type=item.result.licence_type,
        issuer_uscc=case.org_uscc,
        issuer_org_id=case.org_id,
        issuer_org_path=case.org_path,
        region_code=case.region_code,
        holder_ids=tuple(dict.fromkeys(people[role] for role in item.result.holders if role in people)),
        face=face,
    )
