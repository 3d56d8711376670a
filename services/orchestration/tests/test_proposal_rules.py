"""The rules of proposals: tables, and what holds for any mapping."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from orchestration.domain import proposal as rules
from orchestration.domain.checks import check, check_source
from orchestration.domain.definition import Cause, ProposedBy
from orchestration.domain.filing import Content, Filing, State
from orchestration.domain.proposal import Offer
from orchestration.domain.refusals import ConditionFailed, FieldFixed, ProposalEnded
from orchestration.usecases.forms import form_errors

from .makers import AT, CALENDAR, DEFINITION, FORM, MOTHER, child_allowance_json, newborn

ALLOWANCE = DEFINITION.validate_python(child_allowance_json())
NEWBORN = newborn()
SOURCE = Filing("source", "newborn", 1, "370303", MOTHER)


def an_offer(form=FORM, result=None, today=date(2026, 3, 2)):
    content = Content(form=form, answers={"mother_insured": "insured"})
    return Offer(SOURCE, "case", content, result or {"child_id_number": "370303190001010024"}, today)


def proposed(**changes):
    return ProposedBy(**{"matter": "newborn", "item": "household_registration", "form": {}, **changes})


def made(definition=ALLOWANCE, offer=None):
    return rules.propose(definition, 3, offer or an_offer(), filing_id="new", at=AT, calendar=CALENDAR)


def test_the_allowance_is_sound_and_fills_a_valid_form():
    assert check(ALLOWANCE) == ()
    assert check_source(ALLOWANCE, NEWBORN) == ()
    filing = made()
    assert form_errors(ALLOWANCE.form, filing.content.form) == []
    assert (filing.filing.state, filing.filing.applicant_id) == (State.PROPOSED, MOTHER)
    assert (filing.filing.region_code, filing.filing.matter_version) == ("370303", 3)
    assert filing.proposal.filled == tuple(sorted(filing.content.form))


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("form.child_name", "张小满"),
        ("result.child_id_number", "370303190001010024"),
        ("answers.mother_insured", "insured"),
        ("d(form.birth_time).tz('Asia/Shanghai').format('%Y-%m-%d')", "2026-02-27"),
        ("form.surname_from == 'father' ? '随父姓' : '随母姓'", "随父姓"),
        ("form.gone", None),
        ("result.gone", None),
        ("null", None),
    ],
)
def test_a_field_is_filled_by_its_expression_or_left_empty(expression, value):
    found = rules.fill(proposed(form={"name": expression}), an_offer())
    assert found == ({} if value is None else {"name": value})


def test_a_birth_near_midnight_keeps_its_local_day():
    offer = an_offer({**FORM, "birth_time": "2026-02-26T16:30:00Z"})
    assert made(offer=offer).content.form["birth_date"] == "2026-02-27"


@pytest.mark.parametrize(
    ("when", "holds"),
    [
        (None, True),
        ("form.child_sex == 'female'", True),
        ("answers.mother_insured == 'not_insured'", False),
        ("d(form.birth_time).add(3, 'y').isAfter(d(today))", True),
        ("form.gone == 'x'", False),
    ],
)
def test_the_condition_is_asked_of_what_the_source_offers(when, holds):
    assert rules.is_offered(proposed(when=when), an_offer()) is holds


@pytest.mark.parametrize("when", ["form.child_name", "result.gone", "1"])
def test_a_condition_that_is_neither_true_nor_false_is_refused(when):
    with pytest.raises(ConditionFailed):
        rules.is_offered(proposed(when=when), an_offer())


@pytest.mark.parametrize(("today", "holds"), [(date(2029, 2, 26), True), (date(2029, 3, 1), False)])
def test_the_allowance_is_for_children_under_three(today, holds):
    assert (made(offer=an_offer(today=today)) is not None) is holds


def test_a_matter_that_nothing_proposes_is_not_proposed():
    assert made(NEWBORN) is None


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"item": "gone"}, "SOURCE_ITEM_UNKNOWN"),
        ({"cause": Cause.LICENCE}, "SOURCE_GIVES_NO_LICENCE"),
        ({"form": {"child_name": "form.gone"}}, "SOURCE_FIELD_UNKNOWN"),
        ({"form": {"child_name": "result.card_no"}}, "SOURCE_FIELD_UNKNOWN"),
        ({"when": "answers.gone == 'x'"}, "SOURCE_FIELD_UNKNOWN"),
    ],
)
def test_only_what_the_source_declares_is_read(change, code):
    definition = replace(ALLOWANCE, proposed_by=replace(ALLOWANCE.proposed_by, **change))
    assert [problem.code for problem in check_source(definition, NEWBORN)] == [code]


@pytest.mark.parametrize("late", [timedelta(0), timedelta(days=1)])
def test_after_its_time_a_proposal_is_over(late):
    filing, proposal = made().filing, made().proposal
    rules.refuse_unless_open(filing, proposal, at=proposal.due_at - timedelta(seconds=1))
    with pytest.raises(ProposalEnded):
        rules.refuse_unless_open(filing, proposal, at=proposal.due_at + late)


@pytest.mark.parametrize("state", [state for state in State if state is not State.PROPOSED])
def test_what_ended_stays_ended(state):
    with pytest.raises(ProposalEnded):
        rules.refuse_unless_open(replace(made().filing, state=state), made().proposal, at=AT)


FIELDS = st.sampled_from(sorted(FORM))
VALUES = st.sampled_from(["x", "", 0, 7, True, None, [1], {"a": 1}])


@given(mapping=st.dictionaries(st.sampled_from("abcdef"), FIELDS), form=st.dictionaries(FIELDS, VALUES))
def test_only_mapped_fields_are_filled_each_from_its_own_source(mapping, form):
    by = proposed(form={field: f"form.{source}" for field, source in mapping.items()})
    offer = an_offer(form)
    filled = rules.fill(by, offer)
    assert filled == {field: form[source] for field, source in mapping.items() if form.get(source) is not None}
    assert rules.fill(by, offer) == filled
    # What the mapping does not name moves nowhere: another value of it changes nothing.
    others = {field: value if field in mapping.values() else "another" for field, value in form.items()}
    assert rules.fill(by, an_offer(others)) == filled


@given(
    before=st.dictionaries(st.sampled_from("abcd"), VALUES),
    after=st.dictionaries(st.sampled_from("abcd"), VALUES),
    changeable=st.sets(st.sampled_from("abcd")),
)
def test_nothing_but_what_may_be_changed_is_changed(before, after, changeable):
    anew = rules.changed(before, after)
    assert {f: v for f, v in before.items() if f not in anew} == {f: v for f, v in after.items() if f not in anew}
    if set(anew) <= changeable:
        rules.refuse_fixed(changeable, anew)
    else:
        with pytest.raises(FieldFixed):
            rules.refuse_fixed(changeable, anew)
