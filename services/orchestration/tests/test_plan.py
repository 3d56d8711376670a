"""The plan: what applies, what is asked for once or waived, order and due dates."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from orchestration.domain.choice import Reason
from orchestration.domain.definition import (
    Choice,
    Dependency,
    Determinant,
    Necessity,
    Need,
    Needs,
    Requirement,
    Result,
    Source,
)
from orchestration.domain.plan import Draft, Finding, Found, Ground, Standing, compile_plan, difference, licence_queries
from orchestration.domain.refusals import ConditionFailed, DepartmentMissing
from orchestration.domain.split import split

from .makers import AT, CALENDAR, FORM, a_definition, a_draft, all_verified, an_item, departments_of, newborn

ID_CARD = "11100000000013127D001"


def plan_of(definition, draft, findings=None, at=AT):
    return compile_plan(
        definition,
        1,
        draft,
        departments=departments_of(definition),
        findings=all_verified(definition) if findings is None else findings,
        calendar=CALENDAR,
        at=at,
    )


def test_the_newborn_plan_runs_in_levels_and_waives_what_is_known():
    plan = plan_of(newborn(), a_draft())
    assert {item.code: item.level for item in plan.items} == {
        "birth_certificate": 1,
        "vaccination_certificate": 1,
        "parenting_guidance": 1,
        "household_registration": 2,
        "maternity_allowance": 2,
        "medical_insurance": 3,
        "social_security_card": 3,
    }
    assert {m.code: m.ground for m in plan.materials} == {
        "mother_id_card": Ground.LICENCE_VERIFIED,
        "father_id_card": Ground.LICENCE_VERIFIED,
        "household_book": Ground.LICENCE_VERIFIED,
        "marriage_certificate": Ground.LICENCE_VERIFIED,
        "birth_registration_form": Ground.IN_FORM,
        "bank_account": Ground.IN_FORM,
        "birth_certificate": Ground.PRODUCED_BY_ITEM,
        "child_id_number": Ground.PRODUCED_BY_ITEM,
    }
    mother = next(m for m in plan.materials if m.code == "mother_id_card")
    assert mother.used_by == ("birth_certificate", "household_registration", "maternity_allowance")
    assert not plan.lacking


def test_without_insurance_the_allowance_and_its_materials_leave_with_a_reason():
    plan = plan_of(newborn(), a_draft(insured="not_insured"))
    left = next(item for item in plan.items if item.code == "maternity_allowance")
    assert (left.chosen.applies, left.chosen.reason) == (False, Reason.CONDITION_NOT_MET)
    assert left.chosen.data == {"condition": "mother_insured == 'insured'"}
    assert "bank_account" not in {m.code for m in plan.materials}
    assert len(plan.applying) == 6


@pytest.mark.parametrize(
    ("finding", "ground"),
    [
        (Finding(Found.MISSING), Ground.LICENCE_MISSING),
        (Finding(Found.INVALID), Ground.LICENCE_INVALID),
        (Finding(Found.CONSENT_NEEDED), Ground.CONSENT_NEEDED),
        (None, Ground.LICENCE_MISSING),
    ],
)
def test_a_licence_that_cannot_be_used_is_needed(finding, ground):
    findings = {**all_verified(newborn()), "father_id_card": finding}
    plan = plan_of(newborn(), a_draft(), {key: value for key, value in findings.items() if value})
    assert [(m.code, m.ground, m.data["holder"]) for m in plan.lacking] == [("father_id_card", ground, "father")]


def test_a_form_field_left_empty_is_needed():
    plan = plan_of(newborn(), a_draft(form={**FORM, "birth_registration_no": ""}))
    assert [(m.code, m.ground) for m in plan.lacking] == [("birth_registration_form", Ground.FIELD_EMPTY)]


def test_a_role_that_nobody_has_is_not_asked_for_but_needed():
    form = {key: value for key, value in FORM.items() if key != "father_id"}
    assert "father_id_card" not in {query.key for query in licence_queries(newborn(), a_draft(form=form))}
    assert Ground.HOLDER_UNKNOWN in {m.ground for m in plan_of(newborn(), a_draft(form=form)).lacking}


def test_a_department_that_the_region_lacks_is_told():
    with pytest.raises(DepartmentMissing):
        compile_plan(newborn(), 1, a_draft(), departments={}, findings={}, calendar=CALENDAR, at=AT)


def test_a_condition_that_the_form_makes_senseless_is_refused():
    definition = a_definition(an_item("a", when="form.name > 3"))
    with pytest.raises(ConditionFailed):
        plan_of(definition, Draft(1, "p", {}, {"name": "x"}))


def test_due_dates_follow_each_other_over_the_holiday():
    definition = a_definition(an_item("a", 1), an_item("b", 2, depends_on=(Dependency("a"),)))
    plan = plan_of(definition, Draft(1, "p", {}, {}), at=AT.replace(year=2026, month=2, day=12))
    first, second = plan.items
    # 13 and 14 February are worked, the 15th to the 23rd are not.
    assert first.promised_due_at.astimezone(CALENDAR.zone).date().isoformat() == "2026-02-24"
    assert second.promised_due_at.astimezone(CALENDAR.zone).date().isoformat() == "2026-02-27"


def test_the_digest_names_what_matters_and_not_the_day():
    plan = plan_of(newborn(), a_draft())
    assert plan.digest == plan_of(newborn(), a_draft(), at=AT + timedelta(days=30)).digest
    changed = {**all_verified(newborn()), "household_book": Finding(Found.VERIFIED, "another", 2)}
    later = plan_of(newborn(), a_draft(), changed)
    assert later.digest != plan.digest
    assert [(change["what"], change["material"]) for change in difference(plan, later)] == [
        ("material", "household_book")
    ]
    fewer = plan_of(newborn(), a_draft(insured="not_insured"))
    assert {"what": "item", "item": "maternity_allowance", "applies": False} in difference(plan, fewer)


@st.composite
def definitions(draw):
    """Random matters: a graph without cycles, conditions on two questions, materials of every source."""
    count = draw(st.integers(1, 9))
    asked = tuple(Determinant(f"q{i}", "?", (Choice("yes", ""), Choice("no", ""))) for i in range(2))
    conditions = st.sampled_from([None, None, "q0 == 'yes'", "q1 == 'no'", "q0 == q1", "q0 == 'yes' and q1 == 'yes'"])
    licences = [
        Requirement(f"l{i}", "l", Source.LICENCE, licence_type=f"{ID_CARD[:-1]}{i}", holder="applicant")
        for i in range(3)
    ]
    form = Requirement("in_form", "f", Source.FORM, field="name")
    items, produced = [], []
    for index in range(count):
        before = draw(st.sets(st.integers(0, index - 1))) if index else set()
        depends_on = tuple(Dependency(f"i{b}", draw(st.sampled_from(Needs))) for b in sorted(before))
        needs = [
            Need(code, draw(st.sampled_from(Necessity)))
            for code in sorted(draw(st.sets(st.sampled_from(["l0", "l1", "l2", "in_form"]))))
        ]
        needs += [Need(f"p{d.item[1:]}") for d in depends_on if d.needs is Needs.APPROVAL and draw(st.booleans())]
        items.append(
            an_item(
                f"i{index}",
                index,
                depends_on=depends_on,
                when=draw(conditions),
                requirements=tuple(needs),
                result=Result("r"),
            )
        )
        produced.append(Requirement(f"p{index}", "p", Source.PRODUCED, item=f"i{index}"))
    return a_definition(*draw(st.permutations(items)), requirements=(*licences, form, *produced), determinants=asked)


ANSWERS = st.fixed_dictionaries({"q0": st.sampled_from(["yes", "no"]), "q1": st.sampled_from(["yes", "no"])})
FINDINGS = st.fixed_dictionaries(
    {f"l{i}": st.builds(Finding, st.sampled_from(Found), st.just("licence"), st.just(1)) for i in range(3)}
)


@given(definitions(), ANSWERS, FINDINGS, st.sampled_from([{}, {"name": "x"}]))
def test_every_plan_is_sound(definition, answers, findings, form):
    draft = Draft(1, "person", answers, form)
    plan = plan_of(definition, draft, findings)
    assert [item.code for item in plan.items] == [item.code for item in definition.items]
    level = {item.code: item.level for item in plan.applying}
    due = {item.code: item.promised_due_at for item in plan.applying}
    for item in plan.applying:
        source = definition.item[item.code]
        assert {d.item for d in source.depends_on if d.needs is Needs.APPROVAL} <= level.keys()
        assert all(level[d.item] < item.level and due[d.item] < item.promised_due_at for d in item.waits_for)
        assert item.promised_due_at <= item.statutory_due_at
    for item in plan.items:
        if not item.chosen.applies:
            assert item.org is None
            assert item.chosen.data
    codes = [material.code for material in plan.materials]
    assert len(codes) == len(set(codes))
    for material in plan.materials:
        assert material.used_by
        assert set(material.used_by) <= level.keys()
        if material.standing is Standing.WAIVED:
            assert not material.is_lacking
        if material.source is Source.PRODUCED:
            assert material.standing is Standing.WAIVED
            assert material.data["item"] in level
        if material.source is Source.LICENCE:
            assert (material.standing is Standing.WAIVED) == (findings[material.code].found is Found.VERIFIED)
    assert plan == plan_of(definition, draft, findings)
    assert not difference(plan, plan)
    assert {query.key for query in licence_queries(definition, draft)} == {
        material.code for material in plan.materials if material.source is Source.LICENCE
    }
    if plan.applying:
        names = [str(n) for n in range(len(plan.applying))]
        cases = split(definition, plan, evidence={}, ids=names, numbers=names)
        assert [case.item for case in cases] == [item.code for item in plan.applying]


def test_a_single_mother_is_asked_neither_for_a_father_nor_for_a_marriage_certificate():
    form = {name: value for name, value in FORM.items() if not name.startswith("father")}
    alone = a_draft(form=form | {"parents": "mother_alone", "surname_from": "mother"})
    plan = plan_of(newborn(), alone)
    asked = {material.code for material in plan.materials}
    assert asked == {material.code for material in plan_of(newborn(), a_draft()).materials} - {
        "father_id_card",
        "marriage_certificate",
    }
    assert {query.key for query in licence_queries(newborn(), alone)} == {"mother_id_card", "household_book"}
    assert plan.lacking == ()
    registration = next(c for c in split(newborn(), plan, evidence={}, ids="1234567", numbers="1234567") if c.id == "3")
    assert "marriage_certificate" not in {material.code for material in registration.materials}
