"""The checks of a definition before it is published: every problem at once, each with the place it is in."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from functools import partial
from graphlib import CycleError
from itertools import chain, product
from math import prod
from typing import Any

from orchestration.domain import conditions
from orchestration.domain.choice import choose
from orchestration.domain.definition import (
    Cause,
    Definition,
    Handling,
    Item,
    Needs,
    ProposedBy,
    Requirement,
    Role,
    Source,
)
from orchestration.domain.refusals import ConditionFailed
from orchestration.domain.terms import USUAL_TERMS

_CODE = re.compile(r"[a-z][a-z0-9_]{0,62}")
# Province, item type (those on application), department, main item, sub-item (GB/T 39554.1).
_ITEM_CODE = re.compile(r"\d{2}(01|05|07|08|09|10|20)\d{8}")
_LICENCE_TYPE = re.compile(r"[0-9A-HJ-NP-RTUW-Y]{18}\d{3}")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
_SITUATIONS = 4096
_SUREST = 4
_LONGEST_PROOF = 30 * 24 * 60  # minutes
_LONGEST_TERM = 60  # working days
# What the expressions of a proposal may read of the filing that it is made after.
_SOURCE = frozenset({"form", "answers", "result", "today"})


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong in a definition: a code, where it is, and what is named there."""

    code: str
    where: str
    data: Mapping[str, Any] = field(default_factory=dict)


def check(definition: Definition) -> tuple[Problem, ...]:
    """Every problem of the definition; none means that it can be published."""
    shape = [
        *_codes(definition),
        *_proof(definition),
        *_proposed(definition),
        *_archive(definition),
        *_people(definition),
        *_form(definition),
        *chain.from_iterable(_requirement(definition, requirement) for requirement in definition.requirements),
        *chain.from_iterable(_item(definition, item) for item in definition.items),
        *_texts("", asdict(definition)),
    ]
    # What may happen can be told only where the names and the graph are sound.
    return (*shape, *(_cycle(definition) or (() if shape else tuple(_situations(definition)))))


def _proof(definition: Definition) -> Iterator[Problem]:
    if not 0 <= definition.proof_level <= _SUREST:
        yield Problem("PROOF_LEVEL_UNKNOWN", "proof_level", {"level": definition.proof_level})
    minutes = definition.proof_minutes
    if minutes is not None and not (definition.proof_level and 1 <= minutes <= _LONGEST_PROOF):
        yield Problem("PROOF_AGE_UNFIT", "proof_minutes", {"minutes": minutes})


def check_source(definition: Definition, source: Definition | None) -> tuple[Problem, ...]:
    """Whether what a proposal is made of is declared by the matter that it is made after."""
    where, proposed = "proposed_by", definition.proposed_by
    if proposed is None:
        return ()
    if source is None:
        return (Problem("SOURCE_MATTER_UNKNOWN", where, {"name": proposed.matter}),)
    item = source.item.get(proposed.item)
    if item is None:
        return (Problem("SOURCE_ITEM_UNKNOWN", where, {"name": proposed.item}),)
    problems: list[Problem] = []
    if source.subject is not definition.subject:
        problems.append(Problem("SUBJECT_DIFFERS", where, {"subject": source.subject}))
    if proposed.cause is Cause.LICENCE and (item.result is None or item.result.licence_type is None):
        problems.append(Problem("SOURCE_GIVES_NO_LICENCE", where, {"name": proposed.item}))
    declared = {
        "form": source.form_fields,
        "answers": frozenset(determinant.code for determinant in source.determinants),
        "result": frozenset(item.result.fields.get("properties", {}) if item.result else {}),
    }
    for place, expression in _expressions(proposed).items():
        for root, known in declared.items():
            problems.extend(
                _known("SOURCE_FIELD_UNKNOWN", place, sorted(conditions.fields_in(expression, root)), known)
            )
    return tuple(problems)


def _proposed(definition: Definition) -> Iterator[Problem]:
    where, proposed = "proposed_by", definition.proposed_by
    if proposed is None:
        return
    if proposed.matter == definition.code:
        yield Problem("PROPOSED_BY_ITSELF", where)
    if not 0 < proposed.days <= _LONGEST_TERM:
        yield Problem("TERM_OUT_OF_RANGE", f"{where}.days", {"days": proposed.days})
    yield from _known("FORM_FIELD_UNKNOWN", f"{where}.form", proposed.form, definition.form_fields)
    yield from _known("FORM_FIELD_UNKNOWN", f"{where}.changeable", proposed.changeable, definition.form_fields)
    # Whoever confirms must be able to: what the form cannot do without is filled, or can be written.
    given = {*proposed.form, *proposed.changeable}
    yield from _known("REQUIRED_FIELD_FIXED", where, definition.form.get("required", ()), given)
    for place, expression in _expressions(proposed).items():
        if not conditions.is_readable(expression):
            yield Problem("CONDITION_UNREADABLE", place)
            continue
        # `form` is no name of its own to an expression's reader.
        names = conditions.determinants_in(expression) - _SOURCE
        yield from _known("NAME_UNKNOWN", place, sorted(names), ())
        whole = [root for root in sorted(_SOURCE - {"today"}) if conditions.reads_whole(expression, root)]
        yield from (Problem("READS_EVERYTHING", place, {"name": root}) for root in whole)


def _expressions(proposed: ProposedBy) -> dict[str, str]:
    found = {f"proposed_by.form.{field}": expression for field, expression in proposed.form.items()}
    return found if proposed.when is None else {**found, "proposed_by.when": proposed.when}


def _codes(definition: Definition) -> Iterator[Problem]:
    lists: dict[str, list[str]] = {
        "items": [item.code for item in definition.items],
        "requirements": [requirement.code for requirement in definition.requirements],
        "determinants": [determinant.code for determinant in definition.determinants],
        "people": [role.code for role in definition.people],
    }
    for determinant in definition.determinants:
        lists[f"determinants.{determinant.code}.values"] = [choice.value for choice in determinant.values]
    for where, codes in {**lists, "code": [definition.code]}.items():
        yield from (Problem("CODE_MALFORMED", where, {"code": code}) for code in codes if not _CODE.fullmatch(code))
        yield from _duplicates(where, codes)
    yield from _duplicates("items.item_code", [item.item_code for item in definition.items])
    if not definition.items:
        yield Problem("NO_ITEMS", "items")
    for determinant in definition.determinants:
        if determinant.code in conditions.RESERVED:
            yield Problem("CODE_RESERVED", f"determinants.{determinant.code}")
        if not determinant.values:
            yield Problem("NO_VALUES", f"determinants.{determinant.code}")


def _people(definition: Definition) -> Iterator[Problem]:
    if sum(role.applicant for role in definition.people) != 1:
        yield Problem("NOT_ONE_APPLICANT", "people")
    for role in definition.people:
        yield from _role(definition, role)


def _role(definition: Definition, role: Role) -> Iterator[Problem]:
    where = f"people.{role.code}"
    if role.applicant == (role.field is not None):
        yield Problem("ROLE_NEEDS_ONE_SOURCE", where)
    if role.field is not None:
        yield from _known("FORM_FIELD_UNKNOWN", where, [role.field], definition.form_fields)


def _form(definition: Definition) -> Iterator[Problem]:
    if definition.form.get("type") != "object" or not isinstance(definition.form.get("properties"), Mapping):
        yield Problem("FORM_NOT_AN_OBJECT", "form")
    elif definition.form.get("additionalProperties") is not False:
        yield Problem("FORM_OPEN", "form")
    yield from _references("form", definition.form)


def _references(where: str, schema: object) -> Iterator[Problem]:
    # A reference could lead anywhere, also to another machine; a form is short enough to be written out.
    match schema:
        case Mapping():
            if any(key in schema for key in ("$ref", "$dynamicRef")):
                yield Problem("FORM_REFERENCE", where)
            for key, value in schema.items():
                yield from _references(f"{where}.{key}", value)
        case list() | tuple():
            for value in schema:
                yield from _references(where, value)


def _requirement(definition: Definition, requirement: Requirement) -> Iterator[Problem]:
    where = f"requirements.{requirement.code}"
    yield from _condition(definition, f"{where}.when", requirement.when)
    given = {name for name in ("licence_type", "holder", "field", "item") if getattr(requirement, name) is not None}
    wanted = {Source.LICENCE: {"licence_type", "holder"}, Source.FORM: {"field"}, Source.PRODUCED: {"item"}}
    if given != wanted[requirement.source]:
        yield Problem("REQUIREMENT_FIELDS", where, {"wanted": sorted(wanted[requirement.source])})
        return
    match requirement.source:
        case Source.LICENCE:
            yield from _licence_type(where, requirement.licence_type)
            yield from _known("ROLE_UNKNOWN", where, [requirement.holder or ""], _roles(definition))
            same = [
                other.code
                for other in definition.requirements
                if (other.licence_type, other.holder) == (requirement.licence_type, requirement.holder)
            ]
            if same[0] != requirement.code:
                yield Problem("REQUIREMENT_TWICE", where, {"requirement": same[0]})
        case Source.FORM:
            yield from _known("FORM_FIELD_UNKNOWN", where, [requirement.field or ""], definition.form_fields)
        case Source.PRODUCED:
            producer = definition.item.get(requirement.item or "")
            if producer is None or producer.result is None:
                yield Problem("MATERIAL_NOT_PRODUCED", where, {"item": requirement.item})


def _archive(definition: Definition) -> Iterator[Problem]:
    if not 0 <= definition.archive_days <= _LONGEST_TERM:
        yield Problem("TERM_OUT_OF_RANGE", "archive_days", {"days": definition.archive_days})


def _item(definition: Definition, item: Item) -> Iterator[Problem]:
    where = f"items.{item.code}"
    if not _ITEM_CODE.fullmatch(item.item_code):
        yield Problem("ITEM_CODE_MALFORMED", where, {"item_code": item.item_code})
    if item.promised_days < 1 or (item.statutory_days is not None and item.promised_days > item.statutory_days):
        yield Problem("PROMISE_BEYOND_LAW", where, {"promised": item.promised_days, "statutory": item.statutory_days})
    if item.handling is Handling.INSTANT and item.promised_days > 1:
        yield Problem("INSTANT_TAKES_DAYS", where, {"promised": item.promised_days})
    if item.handled_by is not None and not _CODE.fullmatch(item.handled_by.app):
        yield Problem("CODE_MALFORMED", f"{where}.handled_by", {"code": item.handled_by.app})
    for name, days in asdict(item.terms).items():
        if not 0 < days <= _LONGEST_TERM:
            yield Problem("TERM_OUT_OF_RANGE", f"{where}.terms.{name}", {"days": days})
    for name in ("acceptance_days", "delivery_days"):
        days = getattr(item.terms, name)
        if days > getattr(USUAL_TERMS, name):
            yield Problem("TERM_BEYOND_LAW", f"{where}.terms.{name}", {"days": days})
    dependencies = [dependency.item for dependency in item.depends_on]
    yield from _known("DEPENDENCY_UNKNOWN", where, dependencies, set(definition.item) - {item.code})
    yield from _duplicates(f"{where}.depends_on", dependencies)
    needs = [need.requirement for need in item.requirements]
    yield from _known("REQUIREMENT_UNKNOWN", where, needs, definition.requirement)
    yield from _duplicates(f"{where}.requirements", needs)
    yield from _known("FORM_FIELD_UNKNOWN", where, item.form_fields, definition.form_fields)
    yield from _condition(definition, f"{where}.when", item.when)
    yield from _produced(definition, item)
    yield from _result(definition, item)


def _condition(definition: Definition, where: str, expression: str | None) -> Iterator[Problem]:
    if expression is None:
        return
    if not conditions.is_readable(expression):
        yield Problem("CONDITION_UNREADABLE", where)
        return
    determinants = {determinant.code for determinant in definition.determinants}
    yield from _known("DETERMINANT_UNKNOWN", where, sorted(conditions.determinants_in(expression)), determinants)
    yield from _known(
        "FORM_FIELD_UNKNOWN", where, sorted(conditions.form_fields_in(expression)), definition.form_fields
    )


def _produced(definition: Definition, item: Item) -> Iterator[Problem]:
    """What a sibling produces is there only if the item waits for that sibling's approval."""
    for need in item.requirements:
        requirement = definition.requirement.get(need.requirement)
        if (
            requirement
            and requirement.source is Source.PRODUCED
            and requirement.item not in _approved_before(definition, item)
        ):
            yield Problem("PRODUCER_NOT_AWAITED", f"items.{item.code}", {"requirement": need.requirement})


def _approved_before(definition: Definition, item: Item) -> set[str]:
    found: set[str] = set()
    ahead = [item]
    while ahead:
        for dependency in ahead.pop().depends_on:
            if dependency.needs is Needs.APPROVAL and dependency.item not in found:
                found.add(dependency.item)
                ahead.extend(filter(None, [definition.item.get(dependency.item)]))
    return found


def _result(definition: Definition, item: Item) -> Iterator[Problem]:
    where, result = f"items.{item.code}.result", item.result
    if result is None:
        return
    if result.fields and (
        result.fields.get("type") != "object" or result.fields.get("additionalProperties") is not False
    ):
        yield Problem("FORM_OPEN", f"{where}.fields")
    yield from _references(f"{where}.fields", result.fields)
    if result.licence_type is None:
        if result.face or result.holders:
            yield Problem("FACE_WITHOUT_LICENCE", where)
        return
    yield from _licence_type(where, result.licence_type)
    if not result.holders:
        yield Problem("LICENCE_WITHOUT_HOLDER", where)
    yield from _known("ROLE_UNKNOWN", where, result.holders, _roles(definition))
    known = {f"form.{name}" for name in definition.form_fields} | {
        f"result.{name}" for name in result.fields.get("properties", {})
    }
    yield from _known("FACE_SOURCE_UNKNOWN", where, sorted(result.face.values()), known)


def _licence_type(where: str, licence_type: str | None) -> Iterator[Problem]:
    if not _LICENCE_TYPE.fullmatch(licence_type or ""):
        yield Problem("LICENCE_TYPE_MALFORMED", where, {"licence_type": licence_type})


def _texts(where: str, value: object) -> Iterator[Problem]:
    match value:
        case Mapping():
            for key, inner in value.items():
                yield from _texts(f"{where}.{key}" if where else str(key), inner)
        case list() | tuple():
            for inner in value:
                yield from _texts(where, inner)
        case str() if _CONTROL.search(value):
            yield Problem("CONTROL_CHARACTER", where)


def _cycle(definition: Definition) -> tuple[Problem, ...]:
    try:
        _ = definition.order
    except CycleError as error:
        return (Problem("CYCLE", "items", {"items": list(error.args[1])}),)
    return ()


def _situations(definition: Definition) -> Iterator[Problem]:
    """Try every combination of answers: each item must be possible, each condition must be true or false."""
    materials = [requirement.when for requirement in definition.requirements if requirement.when]
    used = set().union(*map(conditions.determinants_in, (*(i.when for i in definition.items if i.when), *materials)))
    asked = [determinant for determinant in definition.determinants if determinant.code in used]
    if prod(len(determinant.values) for determinant in asked) > _SITUATIONS:
        yield Problem("TOO_MANY_SITUATIONS", "determinants", {"most": _SITUATIONS})
        return
    failing: set[str] = set()
    reached: set[str] = set()

    def is_met(answers: Mapping[str, str], expression: str) -> bool:
        if conditions.reads_form(expression):
            return True
        try:
            return conditions.holds(expression, answers, {})
        except ConditionFailed:
            failing.add(expression)
            return True

    for values in product(*([choice.value for choice in determinant.values] for determinant in asked)):
        answers = dict(zip((determinant.code for determinant in asked), values, strict=True))
        reached |= {code for code, choice in choose(definition, partial(is_met, answers)).items() if choice.applies}
        for expression in materials:
            is_met(answers, expression)
    yield from (Problem("CONDITION_FAILS", f"items.{i.code}.when") for i in definition.items if i.when in failing)
    yield from (
        Problem("CONDITION_FAILS", f"requirements.{r.code}.when") for r in definition.requirements if r.when in failing
    )
    yield from (Problem("ITEM_UNREACHABLE", f"items.{code}") for code in definition.item if code not in reached)


def _roles(definition: Definition) -> set[str]:
    return {role.code for role in definition.people}


def _known(code: str, where: str, names: Iterable[str], known: Iterable[str]) -> Iterator[Problem]:
    allowed = set(known)
    return (Problem(code, where, {"name": name}) for name in names if name not in allowed)


def _duplicates(where: str, codes: list[str]) -> Iterator[Problem]:
    return (Problem("DUPLICATE", where, {"code": code}) for code, count in Counter(codes).items() if count > 1)
