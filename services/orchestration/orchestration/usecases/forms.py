"""Forms against their JSON Schema: which fields are wrong and by which rule, never what was in them."""

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

import orjson
from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import SchemaError, ValidationError

from orchestration.domain.definition import Definition

# control characters, and those that show a text in another order than it is read, or break a line unseen
_MISLEADING = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff]")

# what is entered may come to stand on a licence: no longer than a message to its library may carry
_LONGEST = 4_000


def _is_date(value: object) -> bool:
    return not isinstance(value, str) or bool(date.fromisoformat(value))


def _is_moment(value: object) -> bool:
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


def _is_uuid(value: object) -> bool:
    return not isinstance(value, str) or str(UUID(value)) == value.lower()


_FORMATS = FormatChecker(formats=())
for _format, _check in {"date": _is_date, "date-time": _is_moment, "uuid": _is_uuid}.items():
    _FORMATS.checks(_format, raises=ValueError)(_check)


def schema_problem(schema: Mapping[str, Any]) -> str | None:
    """Where a schema is not one, if anywhere."""
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        return str(error.json_path)
    return None


def form_errors(schema: Mapping[str, Any], form: Mapping[str, Any]) -> list[dict[str, str]]:
    """Every field that breaks a rule, with the rule's name."""
    validator = _validator(orjson.dumps(schema))
    found = [error for each in validator.iter_errors(form) for error in _fields(each)]
    found += [(where, "PATTERN") for where, text in _texts(form) if _MISLEADING.search(text)]
    found += [(where, "MAXLENGTH") for where, text in _texts(form) if len(text) > _LONGEST]
    return [{"field": field, "reason": reason} for field, reason in dict.fromkeys(sorted(found))]


def answer_errors(definition: Definition, answers: Mapping[str, str]) -> list[dict[str, str]]:
    """Questions left open, answered by what is no answer, or never asked."""
    allowed = {d.code: {choice.value for choice in d.values} for d in definition.determinants}
    errors = [
        {"field": f"determinants.{code}", "reason": "REQUIRED" if code not in answers else "ENUM"}
        for code, values in allowed.items()
        if answers.get(code) not in values
    ]
    unasked = answers.keys() - allowed.keys()
    return [*errors, {"field": "determinants.*", "reason": "UNKNOWN"}] if unasked else errors


def _fields(error: ValidationError) -> Iterator[tuple[str, str]]:
    where = ".".join(str(part) for part in error.absolute_path)
    match error.validator:
        case "required":
            missing = [name for name in error.validator_value if name not in error.instance]
            yield from ((_joined(where, name), "REQUIRED") for name in missing)
        case "additionalProperties":
            known = error.schema.get("properties", {})
            # What the caller made up is not told back: it may itself be data.
            yield from ((_joined(where, "*"), "UNKNOWN") for name in error.instance if name not in known)
        case rule:
            yield where, str(rule).upper()


def _texts(value: object, where: str = "") -> Iterator[tuple[str, str]]:
    match value:
        case str():
            yield where, value
        case Mapping():
            for name, each in value.items():
                yield from _texts(each, _joined(where, name))
        case list():
            for place, each in enumerate(value):
                yield from _texts(each, _joined(where, str(place)))


def _joined(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name


@lru_cache(maxsize=256)
def _validator(schema: bytes) -> Draft202012Validator:
    return Draft202012Validator(orjson.loads(schema), format_checker=_FORMATS)
