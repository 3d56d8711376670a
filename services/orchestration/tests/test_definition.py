"""The checks of a definition: every problem is found, all at once, and the newborn matter has none."""

import pytest
from orchestration.domain.checks import check
from orchestration.domain.definition import (
    Choice,
    Dependency,
    Determinant,
    Handling,
    Need,
    Needs,
    ProposedBy,
    Requirement,
    Result,
    Role,
    Source,
)
from orchestration.domain.terms import Terms
from pydantic import ValidationError

from .makers import DEFINITION, a_definition, an_item, newborn, newborn_json

ID_CARD = "11100000000013127D001"
YES_NO = Determinant("married", "married?", (Choice("yes", "yes"), Choice("no", "no")))
OPEN_FORM = {"type": "object", "properties": {"name": {}}}


def licence(code="id_card", **changes):
    return Requirement(
        **{
            "code": code,
            "name": code,
            "source": Source.LICENCE,
            "licence_type": ID_CARD,
            "holder": "applicant",
            **changes,
        }
    )


def wide(n):
    return tuple(Determinant(f"d{i}", "?", (Choice("yes", ""), Choice("no", ""))) for i in range(n))


def proposed(*, required=(), **changes):
    form = {**a_definition().form, "required": list(required)}
    by = ProposedBy(**{"matter": "newborn", "item": "household_registration", "form": {}, **changes})
    return a_definition(an_item("a"), form=form, proposed_by=by)


PROBLEMS = {
    "CYCLE": a_definition(
        an_item("a", 1, depends_on=(Dependency("b"),)), an_item("b", 2, depends_on=(Dependency("a"),))
    ),
    "DEPENDENCY_UNKNOWN": a_definition(an_item("a", depends_on=(Dependency("gone"),))),
    "DUPLICATE": a_definition(an_item("a", 1), an_item("a", 2)),
    "NO_ITEMS": a_definition(),
    "NO_VALUES": a_definition(an_item("a"), determinants=(Determinant("q", "?", ()),)),
    "CODE_MALFORMED": a_definition(an_item("A b")),
    "TERM_BEYOND_LAW": a_definition(an_item("a", terms=Terms(delivery_days=11))),
    "PROPOSED_BY_ITSELF": proposed(matter="matter"),
    "TERM_OUT_OF_RANGE": proposed(days=61),
    "REQUIRED_FIELD_FIXED": proposed(form={}, required=["name"]),
    "NAME_UNKNOWN": proposed(when="born == 'x'"),
    "READS_EVERYTHING": proposed(form={"name": "form['na' + 'me']"}),
    "CODE_RESERVED": a_definition(an_item("a"), determinants=(Determinant("form", "?", (Choice("yes", ""),)),)),
    "ITEM_CODE_MALFORMED": a_definition(an_item("a", item_code="000223001000")),
    "PROOF_LEVEL_UNKNOWN": a_definition(an_item("a"), proof_level=5),
    "PROOF_AGE_UNFIT": a_definition(an_item("a"), proof_level=3, proof_minutes=0),
    "PROMISE_BEYOND_LAW": a_definition(an_item("a", promised_days=11)),
    "INSTANT_TAKES_DAYS": a_definition(an_item("a", handling=Handling.INSTANT, promised_days=2)),
    "NOT_ONE_APPLICANT": a_definition(
        an_item("a"), people=(Role("a", "", applicant=True), Role("b", "", applicant=True))
    ),
    "ROLE_NEEDS_ONE_SOURCE": a_definition(an_item("a"), people=(Role("a", "", applicant=True), Role("b", ""))),
    "ROLE_UNKNOWN": a_definition(an_item("a"), requirements=(licence(holder="uncle"),)),
    "FORM_OPEN": a_definition(an_item("a"), form=OPEN_FORM),
    "FORM_NOT_AN_OBJECT": a_definition(an_item("a"), form={"type": "string"}),
    "FORM_REFERENCE": a_definition(
        an_item("a"),
        form={"type": "object", "additionalProperties": False, "properties": {"x": {"$ref": "http://x.example/"}}},
    ),
    "FORM_FIELD_UNKNOWN": a_definition(an_item("a", form_fields=("gone",))),
    "REQUIREMENT_UNKNOWN": a_definition(an_item("a", requirements=(Need("gone"),))),
    "REQUIREMENT_FIELDS": a_definition(an_item("a"), requirements=(licence(field="name"),)),
    "REQUIREMENT_TWICE": a_definition(an_item("a"), requirements=(licence("x"), licence("y"))),
    "LICENCE_TYPE_MALFORMED": a_definition(an_item("a"), requirements=(licence(licence_type="id card"),)),
    "MATERIAL_NOT_PRODUCED": a_definition(
        an_item("a"), requirements=(Requirement("r", "r", Source.PRODUCED, item="a"),)
    ),
    "PRODUCER_NOT_AWAITED": a_definition(
        an_item("a", 1, result=Result("r")),
        an_item("b", 2, depends_on=(Dependency("a", Needs.END),), requirements=(Need("r"),)),
        requirements=(Requirement("r", "r", Source.PRODUCED, item="a"),),
    ),
    "FACE_WITHOUT_LICENCE": a_definition(an_item("a", result=Result("r", face={"n": "form.name"}))),
    "FACE_SOURCE_UNKNOWN": a_definition(
        an_item("a", result=Result("r", licence_type=ID_CARD, holders=("applicant",), face={"n": "form.gone"}))
    ),
    "LICENCE_WITHOUT_HOLDER": a_definition(an_item("a", result=Result("r", licence_type=ID_CARD))),
    "CONDITION_UNREADABLE": a_definition(an_item("a", when="married ==")),
    "DETERMINANT_UNKNOWN": a_definition(an_item("a", when="maried == 'yes'"), determinants=(YES_NO,)),
    "CONDITION_FAILS": a_definition(an_item("a", when="married + 1 > 2"), determinants=(YES_NO,)),
    "ITEM_UNREACHABLE": a_definition(an_item("a", when="married == 'maybe'"), determinants=(YES_NO,)),
    "TOO_MANY_SITUATIONS": a_definition(
        an_item("a", when=" or ".join(f"d{i} == 'yes'" for i in range(13))), determinants=wide(13)
    ),
    "CONTROL_CHARACTER": a_definition(an_item("a", name="a\x00b")),
}


@pytest.mark.parametrize("code", PROBLEMS)
def test_each_problem_is_found(code):
    assert code in {problem.code for problem in check(PROBLEMS[code])}


def test_the_newborn_matter_has_no_problem():
    assert check(newborn()) == ()
    assert len(newborn().items) == 7


def test_all_problems_come_at_once():
    found = check(a_definition(an_item("a", promised_days=11, form_fields=("gone",), when="x ==")))
    assert {problem.code for problem in found} == {"PROMISE_BEYOND_LAW", "FORM_FIELD_UNKNOWN", "CONDITION_UNREADABLE"}


def test_an_item_that_needs_another_which_excludes_it_is_unreachable():
    found = check(
        a_definition(
            an_item("a", 1, when="married == 'yes'"),
            an_item("b", 2, when="married == 'no'", depends_on=(Dependency("a"),)),
            determinants=(YES_NO,),
        )
    )
    assert [(problem.code, problem.where) for problem in found] == [("ITEM_UNREACHABLE", "items.b")]


def test_an_item_that_only_waits_for_the_end_of_another_is_reachable_without_it():
    assert not check(
        a_definition(
            an_item("a", 1, when="married == 'yes'"),
            an_item("b", 2, when="married == 'no'", depends_on=(Dependency("a", Needs.END),)),
            determinants=(YES_NO,),
        )
    )


def test_words_in_strings_and_functions_are_not_determinants():
    condition = "len(form.name) > 2 and (married in ['gone', 'yes'] or not (married == \"no\"))"
    assert not check(a_definition(an_item("a", when=condition), determinants=(YES_NO,)))


@pytest.mark.parametrize("change", [{"surprise": 1}, {"items": "none"}, {"effective_from": "soon"}, {"subject": "dog"}])
def test_a_shape_that_is_not_a_definition_is_refused(change):
    with pytest.raises(ValidationError):
        DEFINITION.validate_python({**newborn_json(), **change})


def test_the_checksum_does_not_depend_on_the_order_of_keys():
    turned = dict(reversed(newborn_json().items()))
    assert DEFINITION.validate_python(turned).checksum == newborn().checksum
    assert DEFINITION.validate_python({**newborn_json(), "name": "x"}).checksum != newborn().checksum


@pytest.mark.parametrize(
    ("when", "code"),
    [
        ("married ==", "CONDITION_UNREADABLE"),
        ("maried == 'yes'", "DETERMINANT_UNKNOWN"),
        ("form.gone == 1", "FORM_FIELD_UNKNOWN"),
        ("married + 1 > 2", "CONDITION_FAILS"),
    ],
)
def test_the_condition_of_a_material_is_checked_like_that_of_an_item(when, code):
    definition = a_definition(an_item("a"), requirements=(licence(when=when),), determinants=(YES_NO,))
    assert [(problem.code, problem.where) for problem in check(definition)] == [(code, "requirements.id_card.when")]
