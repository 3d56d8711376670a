"""Conditions over answers and form: ZEN expressions, as officers write them in a definition."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import zen

from orchestration.domain.refusals import ConditionFailed

_STRING = re.compile(r"'[^']*'|\"[^\"]*\"")
_NAME = re.compile(r"(?<![\w.])([A-Za-z_]\w*)(?!\w*\s*\()")
_FORM_FIELD = re.compile(r"(?<![\w.])form\.([A-Za-z_]\w*)")
RESERVED = frozenset({"and", "or", "not", "in", "true", "false", "null", "form"})


def is_readable(expression: str) -> bool:
    """Whether the expression compiles."""
    return zen.validate_expression(expression) is None


def determinants_in(expression: str) -> frozenset[str]:
    """The names that an expression reads besides the form; the engine itself takes an unknown name for null."""
    return frozenset(_NAME.findall(_STRING.sub("''", expression))) - RESERVED


def form_fields_in(expression: str) -> frozenset[str]:
    return frozenset(_FORM_FIELD.findall(_STRING.sub("''", expression)))


def fields_in(expression: str, root: str) -> frozenset[str]:
    """The names that an expression reads under a root, as in `root.name`."""
    return frozenset(re.findall(rf"(?<![\w.]){root}\.([A-Za-z_]\w*)", _STRING.sub("''", expression)))


def reads_whole(expression: str, root: str) -> bool:
    """Whether an expression takes all there is under a root, or what cannot be told beforehand."""
    return re.search(rf"(?<![\w.]){root}\b(?!\.[A-Za-z_])", _STRING.sub("''", expression)) is not None


def reads_form(expression: str) -> bool:
    return re.search(r"(?<![\w.])form\b", _STRING.sub("''", expression)) is not None


def holds(expression: str, answers: Mapping[str, str], form: Mapping[str, Any]) -> bool:
    """Whether the condition holds; one that is neither true nor false is refused, never guessed."""
    return is_true(expression, {**answers, "form": dict(form)})


def is_true(expression: str, facts: Mapping[str, Any]) -> bool:
    value = evaluate(expression, facts)
    if not isinstance(value, bool):
        raise ConditionFailed(condition=expression)
    return value


def evaluate(expression: str, facts: Mapping[str, Any]) -> Any:
    """What the expression gives; what is not there is null."""
    try:
        return _compiled(expression).evaluate(dict(facts))
    except RuntimeError as error:
        raise ConditionFailed(condition=expression) from error


@lru_cache(maxsize=1024)
def _compiled(expression: str) -> "zen.Expression":
    return zen.compile_expression(expression)
