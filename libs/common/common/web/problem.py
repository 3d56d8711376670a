"""Every no, as RFC 9457 problem+json: a stable reason, a sentence for people, never what was sent."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic_core import to_json
from starlette.responses import Response

from common import telemetry
from common.config import Sentences
from common.errors import Kind, Refusal, StepUpNeeded, TooMany, Unauthenticated, Unavailable

STATUS = {
    Kind.REFUSED: 409,
    Kind.NOT_FOUND: 404,
    Kind.INVALID: 422,
    Kind.DENIED: 403,
    Kind.UNAUTHENTICATED: 401,
    Kind.STEP_UP: 401,
    Kind.CONFLICT: 409,
    Kind.TOO_MANY: 429,
    Kind.UNAVAILABLE: 503,
}

_OWN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")
_MOST_FIELDS = 50

SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["type", "title", "title_en", "status", "reason", "detail", "trace_id"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "title_en": {"type": "string"},
        "status": {"type": "integer"},
        "reason": {"type": "string"},
        "detail": {"type": "string"},
        "trace_id": {"type": "string"},
        "data": {"type": "object"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "reason", "message"],
                "properties": {each: {"type": "string"} for each in ("field", "reason", "message")},
            },
        },
    },
}


def problem(
    *, status: int, reason: str, title: str, title_en: str, headers: Mapping[str, str] | None = None, **more: object
) -> Response:
    """Give the answer that says no."""
    body = {
        "type": f"about:blank#{reason}",
        "title": title,
        "title_en": title_en,
        "status": status,
        "reason": reason,
        "detail": title,
        "trace_id": telemetry.trace_id(),
        **more,
    }
    return Response(
        to_json(body, fallback=str, inf_nan_mode="null"),  # numbers of any length, which people do send
        status,
        headers=headers and dict(headers),
        media_type="application/problem+json",
    )


def of_refusal(refusal: Refusal, sentences: Sentences) -> Response:
    """Say a refusal."""
    more: dict[str, object] = {"data": refusal.data} if refusal.data else {}
    return problem(
        status=STATUS[refusal.kind],
        reason=refusal.reason,
        title=sentences.say(refusal),
        title_en=_english(refusal),
        headers=_headers(refusal),
        **more,
    )


def _english(refusal: Refusal) -> str:
    first = (type(refusal).__doc__ or refusal.reason).strip().splitlines()[0]
    return first.rstrip(".")


def _headers(refusal: Refusal) -> dict[str, str]:
    if isinstance(refusal, StepUpNeeded):
        level, age = refusal.data.get("acr", ""), refusal.data.get("max_age")
        fresh = "" if age is None else f', max_age="{age}"'
        return {"WWW-Authenticate": f'Bearer error="insufficient_user_authentication", acr_values="{level}"{fresh}'}
    if isinstance(refusal, Unauthenticated):
        return {"WWW-Authenticate": 'Bearer error="invalid_token"'}
    if isinstance(refusal, Unavailable | TooMany):
        return {"Retry-After": str(refusal.data.get("retry_after", 1))}
    return {}


def of_reason(
    status: int, reason: str, title_en: str, sentences: Sentences, headers: Mapping[str, str] | None = None
) -> Response:
    """Say what no rule but the door itself refuses."""
    return problem(status=status, reason=reason, title=sentences.by_reason[reason], title_en=title_en, headers=headers)


def of_fields(errors: Sequence[Mapping[str, Any]], sentences: Sentences) -> Response:
    """Say which fields are wrong and why; the values stay out, for they are people's data."""
    listed = [
        {
            "field": _field(error["loc"]),
            "reason": (word := str(error["type"]).upper()),
            "message": _why(word, sentences),
        }
        for error in errors[:_MOST_FIELDS]
    ]
    return problem(
        status=422,
        reason="REQUEST_INVALID",
        title=sentences.by_reason["REQUEST_INVALID"],
        title_en="The request has invalid fields",
        errors=listed,
    )


def _why(word: str, sentences: Sentences) -> str:
    return sentences.by_reason.get(f"FIELD.{word}", sentences.by_reason["FIELD"])


def _field(path: Sequence[object]) -> str:
    # A key that the caller made up (of a map, or a field too many) may itself be data.
    return ".".join(str(part) if isinstance(part, int) or _OWN_NAME.fullmatch(str(part)) else "*" for part in path)
