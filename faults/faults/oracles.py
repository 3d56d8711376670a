"""The oracles that need no look inside: the ledger on one side, what the doors tell on the other."""

import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from demo.newborn import BY_APPS, MATTER

from faults.ledger import JSON, Ledger
from faults.told import Told

CASES = 7
LICENCES = 3
ONCE = {"orchestration.draft_filing": 1, "orchestration.submit_filing": 1, "orchestration.close_filing": 1}
OF_CASES = ("orchestration.accept_case", "orchestration.approve_case")
SETTLED = {"approved", "certificate_made"}
EXAMPLES = 5


@dataclass(frozen=True, slots=True)
class Evidence:
    """Both sides of the reconciliation."""

    ledger: Ledger
    told: Told
    department: dict[str, JSON]
    # filings that the mother had before the campaign
    before: frozenset[str] = frozenset()

    @property
    def cases(self) -> Iterable[JSON]:
        return (case for filing in self.told.filings.values() for case in filing["cases"])


def nothing_lost_nothing_twice(evidence: Evidence) -> list[str]:
    """Every draft that was asked for is one filing, and there is no other."""
    drafted = {act.answer["filing_id"] for act in evidence.ledger.answered("draft")}
    # other matters may be proposed to the mother: nobody asked for those
    listed = Counter(
        filing["filing_id"]
        for filing in evidence.told.listed
        if filing["filing_id"] not in evidence.before and filing["matter_code"] == MATTER
    )
    asked = sum(act.kind == "draft" for act in evidence.ledger.acts.values())
    return [
        *([f"{asked} drafts asked for, {len(drafted)} filings answered"] if asked != len(drafted) else []),
        *(f"filing {lost} was answered and is not listed" for lost in sorted(drafted - set(listed))),
        *(f"filing {extra} is listed and was never answered" for extra in sorted(set(listed) - drafted)),
        *(f"filing {twice} is listed {times} times" for twice, times in listed.items() if times > 1),
    ]


def every_filing_closed(evidence: Evidence) -> list[str]:
    """Oracle 1 from outside: closed, with all cases settled and none open."""
    return [
        f"filing {filing_id} is {filing['state']}, {filing['open_cases']} open: {sorted(states)}"
        for filing_id, filing in evidence.told.filings.items()
        if (states := {case["status"] for case in filing["cases"]})
        and (
            filing["state"] != "closed"
            or filing["open_cases"]
            or not states <= SETTLED
            or len(filing["cases"]) != CASES
        )
    ]


def every_act_once(evidence: Evidence) -> list[str]:
    """Accepted once, approved once, submitted once: by the timeline that the applicant sees."""
    problems = []
    for filing_id, timeline in evidence.told.timelines.items():
        acts = Counter(entry["act"] for entry in timeline)
        problems += [f"{filing_id}: {act} {acts[act]} times" for act in ONCE if acts[act] > 1]
        of_cases = Counter((entry["act"], entry["case_id"]) for entry in timeline if entry["act"] in OF_CASES)
        problems += [f"case {case}: {act} {times} times" for (act, case), times in of_cases.items() if times != 1]
        if (total := sum(of_cases.values())) != CASES * len(OF_CASES):
            problems.append(f"{filing_id}: {total} acts on cases")
    return problems


def results_as_entered(evidence: Evidence) -> list[str]:
    """Oracles 2 and 7: each case carries what its officer entered, or what its department's system decided, once."""
    entered = {act.subject: act.body["result"] for act in evidence.ledger.answered("approve")}
    problems = []
    for case in evidence.cases:
        if case["item"] in BY_APPS:
            decision = evidence.department.get(case["case_id"], {})
            expected = decision.get("result")
        else:
            expected = entered.get(case["case_id"])
        if (case["result"] or {}) != (expected or {}):
            problems.append(f"case {case['case_id']} ({case['item']}): another result than was entered")
    by_apps = {case["case_id"] for case in evidence.cases if case["item"] in BY_APPS}
    problems += [f"a department never heard of case {case}" for case in sorted(by_apps - set(evidence.department))]
    return problems


def licences_once(evidence: Evidence) -> list[str]:
    """Each result that is a licence was issued once, and the applicant holds it."""
    made = Counter(case["licence_id"] for case in evidence.cases if case["licence_id"])
    held = Counter(licence["licence_id"] for licence in evidence.told.licences)
    named = Counter(licence["identifier"] for licence in evidence.told.licences)
    expected = LICENCES * len(evidence.told.filings)
    return [
        *([f"{len(made)} licences for {len(evidence.told.filings)} filings"] if len(made) != expected else []),
        *(f"licence {licence} stands in {times} cases" for licence, times in made.items() if times > 1),
        *(f"licence {licence} is held {held[licence]} times" for licence in made if held[licence] != 1),
        *(f"licence number {number} was given {times} times" for number, times in named.items() if times > 1),
    ]


def messages_once(evidence: Evidence) -> list[str]:
    """The applicant was told of each thing once: submitted, each case approved, closed."""
    sent = Counter((message["kind"], message["source_id"]) for message in evidence.told.messages)
    wanted = {
        *(("case_approved", case["case_id"]) for case in evidence.cases),
        *(("filing_submitted", filing_id) for filing_id in evidence.told.filings),
        *(("filing_closed", filing_id) for filing_id in evidence.told.filings),
    }
    return [
        *(f"no message {kind} of {source}" for kind, source in sorted(wanted - set(sent))),
        *(f"{times} messages {kind} of {source}" for (kind, source), times in sent.items() if times > 1),
    ]


def lists_empty(evidence: Evidence) -> list[str]:
    """No officer still sees a case that was decided."""
    mine = {case["case_id"] for case in evidence.cases}
    left = [todo["source_id"] for todo in evidence.told.todos if todo["source_id"] in mine]
    return [f"case {case_id} still stands on a todo list" for case_id in left]


def no_wrong_answer(evidence: Evidence) -> list[str]:
    """Whatever was broken, nobody was answered with a failure that says nothing."""
    return [f"{times} times {answer}" for answer, times in evidence.ledger.wrong.items()]


OUTSIDE: tuple[Callable[[Evidence], list[str]], ...] = (
    nothing_lost_nothing_twice,
    every_filing_closed,
    every_act_once,
    results_as_entered,
    licences_once,
    messages_once,
    lists_empty,
    no_wrong_answer,
)


def asked_of_departments(file: Path) -> dict[str, JSON]:
    """What the departments' own system has decided, by case: read from its own store."""
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as store:
        rows = store.execute("select case_id, decision from cases").fetchall()
    return {case_id: json.loads(decision) for case_id, decision in rows}
