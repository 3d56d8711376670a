"""The states of filings and cases: tables for single acts."""

import pytest
from orchestration.domain import filing as rules
from orchestration.domain.definition import Dependency, Needs
from orchestration.domain.filing import Happened, State
from orchestration.domain.refusals import (
    CaseAlreadyAccepted,
    CaseAlreadyDecided,
    CaseNotAccepted,
    CaseNotApproved,
    CaseNotFound,
    CaseNotReady,
    FilingAlreadySubmitted,
)

from .makers import AT, CALENDAR, a_case, a_submitted_filing

ACTS = {
    "accept": lambda filing, case: rules.accept(filing, case, at=AT, calendar=CALENDAR),
    "approve": lambda filing, case: rules.approve(filing, case, at=AT),
    "refuse": lambda filing, case: rules.refuse(filing, case, reason_code="OTHER", at=AT),
    "record": lambda filing, case: rules.record_result(filing, case, licence_id="licence", at=AT),
}


def statuses(filing):
    return {case.item: case.status.value for case in filing.cases}


def act(filing, *names):
    for name in names:
        verb, item = name.split(" ")
        filing = ACTS[verb](filing, item).filing
    return filing


@pytest.fixture
def chain():
    """The newborn graph: 1 before 3, 3 before 4 and 5, 1 before 6; 2 and 7 free."""
    after = {"3": "1", "4": "3", "5": "3", "6": "1"}
    return a_submitted_filing(
        *(
            a_case(n, waits_for=[Dependency(after[n])] if n in after else (), gives_licence=n in "125")
            for n in "1234567"
        )
    )


def test_a_submitted_filing_makes_ready_what_waits_for_nothing(chain):
    assert statuses(chain) == {n: "ready" if n in "127" else "waiting" for n in "1234567"}
    assert chain.open_cases == 7


def test_refusing_the_registration_takes_along_only_what_needs_it(chain):
    filing = act(chain, "accept 1", "approve 1", "accept 3")
    step = rules.refuse(filing, "3", reason_code="OTHER", at=AT)
    assert statuses(step.filing) == {
        "1": "approved",
        "2": "ready",
        "3": "refused",
        "4": "pruned",
        "5": "pruned",
        "6": "ready",
        "7": "ready",
    }
    assert [(fact.happened, fact.case.item) for fact in step.facts] == [
        (Happened.CASE_DECIDED, "3"),
        (Happened.CASE_PRUNED, "4"),
        (Happened.CASE_PRUNED, "5"),
    ]
    assert step.filing.state is State.SUBMITTED


def test_refusal_prunes_recursively_and_frees_those_that_only_wait_for_the_end():
    filing = a_submitted_filing(
        a_case("a"),
        a_case("b", waits_for=[Dependency("a")]),
        a_case("c", waits_for=[Dependency("b")]),
        a_case("d", waits_for=[Dependency("c", Needs.END)]),
        a_case("e", waits_for=[Dependency("a", Needs.END), Dependency("c", Needs.END)]),
    )
    filing = act(filing, "accept a", "refuse a")
    assert statuses(filing) == {"a": "refused", "b": "pruned", "c": "pruned", "d": "ready", "e": "ready"}


def test_the_clocks_start_at_acceptance(chain):
    step = rules.accept(chain, "1", at=AT, calendar=CALENDAR)
    case = step.filing.case("1")
    assert case.promised_due_at.isoformat() == "2026-03-05T17:30:00+08:00"
    assert case.statutory_due_at.isoformat() == "2026-03-16T17:30:00+08:00"
    assert case.due["promised"]["limit"] == 3


@pytest.mark.parametrize(
    ("before", "verb", "refusal"),
    [
        ([], "accept 3", CaseNotReady),
        ([], "approve 1", CaseNotAccepted),
        ([], "refuse 1", CaseNotAccepted),
        ([], "approve 3", CaseNotAccepted),
        ([], "record 1", CaseNotApproved),
        (["accept 1"], "accept 1", CaseAlreadyAccepted),
        (["accept 1"], "record 1", CaseNotApproved),
        (["accept 1", "approve 1"], "approve 1", CaseAlreadyDecided),
        (["accept 1", "approve 1"], "refuse 1", CaseAlreadyDecided),
        (["accept 1", "approve 1"], "accept 1", CaseAlreadyDecided),
        (["accept 1", "refuse 1"], "approve 3", CaseAlreadyDecided),
        (["accept 1", "refuse 1"], "record 1", CaseNotApproved),
        ([], "accept nobody", CaseNotFound),
    ],
)
def test_acts_out_of_turn_are_refused(chain, before, verb, refusal):
    with pytest.raises(refusal):
        act(chain, *before, verb)


def test_the_same_result_twice_changes_nothing(chain):
    filing = act(chain, "accept 1", "approve 1", "record 1")
    assert rules.record_result(filing, "1", licence_id="licence", at=AT) == rules.Step(filing, (), ())


def test_a_filing_is_submitted_once(chain):
    with pytest.raises(FilingAlreadySubmitted):
        rules.submit(chain, no="2", cases=[a_case("1")], at=AT)
