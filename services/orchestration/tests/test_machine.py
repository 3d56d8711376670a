"""Everybody acts at random, legally and illegally; a slow and simple oracle knows what should be so."""

from datetime import timedelta

from common.errors import Refusal
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from orchestration.domain import archive, correction, delivery, endings, limits, supplements
from orchestration.domain import filing as rules
from orchestration.domain.case import UNDECIDED, Status
from orchestration.domain.definition import Dependency, Needs
from orchestration.domain.delivery import Mode, Receipt
from orchestration.domain.document import Document, Kind
from orchestration.domain.endings import DeclineGround, TerminationGround
from orchestration.domain.filing import Happened, State
from orchestration.domain.terms import Procedure, SupplementKind
from orchestration.domain.timers import TimerKind, fire, timers_of

from .makers import AT, CALENDAR, a_case, a_submitted_filing

APPROVED = {"approved", "certificate_made"}
LOST = {"refused", "declined", "withdrawn", "terminated", "pruned"}
FREE = {"waiting", "ready", "supplement_requested", "accepted", "special_procedure"}
# From which states an act leads where; "waiting" and "pruned" follow from the others.
ALLOWED = {
    "accept": ({"ready"}, "accepted"),
    "approve": ({"accepted"}, "approved"),
    "refuse": ({"accepted"}, "refused"),
    "record": ({"approved"}, "certificate_made"),
    "decline": ({"ready"}, "declined"),
    "terminate": (FREE - {"waiting"}, "terminated"),
    "ask": ({"ready"}, "supplement_requested"),
    "withdraw_request": ({"supplement_requested"}, "ready"),
    "answer": ({"supplement_requested"}, "ready"),
    "tolerate": ({"ready"}, "accepted"),
    "supply": ({"accepted", "special_procedure"}, None),
    "stop": ({"accepted"}, "special_procedure"),
    "resume": ({"special_procedure"}, "accepted"),
    "extend": ({"accepted"}, None),
    "withdraw": (FREE, "withdrawn"),
}
ACTS = {
    "accept": lambda filing, case, at: rules.accept(filing, case, at=at, calendar=CALENDAR),
    "approve": lambda filing, case, at: rules.approve(filing, case, at=at),
    "refuse": lambda filing, case, at: rules.refuse(filing, case, reason_code="OTHER", at=at),
    "record": lambda filing, case, at: rules.record_result(filing, case, licence_id="licence", at=at),
    "decline": lambda filing, case, at: endings.decline(
        filing, case, ground=DeclineGround.NOT_NEEDED, competent_organ=None, at=at
    ),
    "terminate": lambda filing, case, at: endings.terminate(
        filing, case, reason_code=TerminationGround.PURPOSE_GONE, at=at
    ),
    "ask": lambda filing, case, at: supplements.request_supplement(
        filing,
        case,
        kind=SupplementKind.UNCLEAR,
        fields=["name"],
        materials=[],
        at=at,
        calendar=CALENDAR,
    ),
    "withdraw_request": lambda filing, case, at: supplements.withdraw_request(filing, case, at=at),
    "answer": lambda filing, case, at: supplements.answer_supplement(filing, case, fields=["name"], at=at),
    "tolerate": lambda filing, case, at: supplements.tolerate(
        filing, case, missing=["photo"], minor=frozenset({"photo"}), at=at, calendar=CALENDAR
    ),
    "supply": lambda filing, case, at: supplements.supply(filing, case, at=at),
    "stop": lambda filing, case, at: limits.stop(
        filing, case, procedure=Procedure.HEARING, days=3, at=at, calendar=CALENDAR
    ),
    "resume": lambda filing, case, at: limits.resume(filing, case, at=at, calendar=CALENDAR),
    "extend": lambda filing, case, at: limits.extend(filing, case, days=5, reason="r", at=at, calendar=CALENDAR),
    "withdraw": lambda filing, case, at: endings.withdraw(filing, case, at=at),
}
OUTCOMES = {
    TimerKind.ACCEPTANCE: "accepted",
    TimerKind.SUPPLEMENT: "terminated",
    TimerKind.ABSENCE: "refused",
    TimerKind.RESUMPTION: "accepted",
}


@st.composite
def graphs(draw):
    cases = []
    for index in range(draw(st.integers(1, 7))):
        before = draw(st.sets(st.integers(0, index - 1))) if index else set()
        waits_for = [Dependency(str(b), draw(st.sampled_from(Needs))) for b in sorted(before)]
        cases.append(a_case(str(index), waits_for=waits_for, gives_licence=draw(st.booleans())))
    return a_submitted_filing(*draw(st.permutations(cases)))


def a_document(case, at):
    return Document(
        document_id=f"{case.id}-{case.version}",
        no=case.no,
        kind=Kind.APPROVAL,
        case_id=case.id,
        filing_id="filing",
        applicant_id="applicant",
        org_name="org",
        item_name=case.item_name,
        content={},
        issued_at=at,
    )


class Ways(RuleBasedStateMachine):
    """A filing of any shape, and all that its parties may try."""

    @initialize(filing=graphs())
    def begin(self, filing):
        self.filing = filing
        self.now = AT
        self.waits_for = {case.item: case.waits_for for case in filing.cases}
        self.gives = {case.item: case.gives_licence for case in filing.cases}
        self.reached = {}  # what an act led to; the rest follows
        self.closed = 0
        self.asked, self.extended, self.absent = set(), set(), set()
        self.papers = {case.item: [] for case in filing.cases}

    def reach(self, taken):
        """What a department's act ended has to reach the applicant, as the document that it issues tells."""
        old = {case.item: case.status for case in self.filing.cases}
        for case in taken.changed:
            if old[case.item] not in UNDECIDED or case.status is Status.PRUNED:
                continue
            begun = delivery.begin(a_document(case, self.now), case, CALENDAR)
            if begun is not None:
                self.papers[case.item].append(begun)

    def should(self, item):
        """What a case should be, told from the acts alone."""
        if item in self.reached and self.reached[item] != "pruned":
            return self.reached[item]
        before = {d: self.should(d.item) for d in self.waits_for[item]}
        if any(d.needs is Needs.APPROVAL and now in LOST for d, now in before.items()):
            return "pruned"
        return "ready" if all(now in APPROVED | LOST for now in before.values()) else "waiting"

    def is_open(self, item):
        now = self.should(item)
        return now in FREE or (now == "approved" and self.gives[item])

    def step(self, taken):
        changed = {case.item for case in taken.changed}
        old = {case.item: case for case in self.filing.cases}
        for case in taken.filing.cases:
            assert case.version == old[case.item].version + (case.item in changed) or case.item in changed
            assert case.item in changed or case == old[case.item]
        self.reach(taken)
        self.filing = taken.filing
        self.closed += sum(fact.happened is Happened.FILING_CLOSED for fact in taken.facts)

    def may(self, verb, item):
        """What the law says besides the state that a case is in."""
        match verb:
            case "record":
                return self.gives[item]
            case "ask":
                return item not in self.asked
            case "extend":
                case = self.filing.case(item)
                due_at = case.statutory_due_at or case.promised_due_at
                return item not in self.extended and due_at >= self.now
            case "approve":
                return item not in self.absent
            case "supply":
                return item in self.absent
            case _:
                return True

    def remember(self, verb, item, after):
        if after is not None:
            self.reached[item] = after
        if verb == "ask":
            self.asked.add(item)
        elif verb == "extend":
            self.extended.add(item)
        elif verb == "tolerate":
            self.absent.add(item)
        elif verb == "supply":
            self.absent.discard(item)

    @rule(verb=st.sampled_from(sorted(ACTS)), pick=st.randoms(use_true_random=False))
    def act(self, verb, pick):
        item = pick.choice(sorted(self.waits_for))
        allowed, after = ALLOWED[verb]
        if self.should(item) not in allowed or not self.may(verb, item):
            before = self.filing
            try:
                assert ACTS[verb](self.filing, item, self.now).changed == ()
            except Refusal:
                assert self.filing == before
            return
        self.remember(verb, item, after)
        self.step(ACTS[verb](self.filing, item, self.now))

    @precondition(lambda self: any(self.should(item) in FREE for item in self.waits_for))
    @rule(chance=st.integers(0, 9))
    def withdraw_all(self, chance):
        if chance:
            return  # rarely: it leaves little to do
        self.reached |= {item: "withdrawn" for item in self.waits_for if self.should(item) in FREE}
        self.step(endings.withdraw_all(self.filing, at=self.now))

    @invariant()
    def agrees(self):
        now = {case.item: case.status.value for case in self.filing.cases}
        assert now == {item: self.should(item) for item in self.waits_for}
        assert self.filing.open_cases == sum(map(self.is_open, self.waits_for))
        is_closed = self.filing.state in {State.CLOSED, State.ARCHIVED}
        assert is_closed == (self.filing.open_cases == 0) == (self.closed == 1)
        for case in self.filing.cases:
            if case.status is Status.WAITING:
                by_item = {other.item: other.status for other in self.filing.cases}
                undecided = [d for d in case.waits_for if by_item[d.item] in UNDECIDED]
                assert case.open_dependencies == len(undecided) > 0

    @rule(pick=st.randoms(use_true_random=False), mode=st.sampled_from(Mode))
    def deliver(self, pick, mode):
        item = pick.choice(sorted(self.waits_for))
        papers, receipt = self.papers[item], Receipt(mode, proof="1100")
        due = [paper for paper in papers if paper.is_open]
        if not due or self.filing.is_archived or mode in {Mode.ONLINE, Mode.PUBLIC}:
            try:
                delivery.deliver(self.filing, item, papers, receipt, at=self.now, calendar=CALENDAR)
            except Refusal:
                return
            raise AssertionError(mode)
        delivered = delivery.deliver(self.filing, item, papers, receipt, at=self.now, calendar=CALENDAR)
        assert len(delivered) == len(due)
        self.papers[item] = [paper for paper in papers if not paper.is_open] + list(delivered)

    @rule(pick=st.randoms(use_true_random=False))
    def open(self, pick):
        item = pick.choice(sorted(self.waits_for))
        for place, paper in enumerate(self.papers[item]):
            opened = delivery.opened(self.filing, paper, at=self.now)
            assert (opened is not None) == (paper.is_open and not self.filing.is_archived)
            self.papers[item][place] = opened or paper

    @rule(pick=st.randoms(use_true_random=False))
    def correct(self, pick):
        item = pick.choice(sorted(self.waits_for))
        now, before = self.should(item), self.filing
        decided = now in {"approved", "certificate_made", "refused", "declined", "terminated"}
        try:
            taken = correction.correct(before, item, is_issuing=False, at=self.now)
        except Refusal:
            assert not decided or before.is_archived or (now == "approved" and self.gives[item])
            return
        assert decided
        self.step(taken)
        case = self.filing.case(item)
        self.papers[item].append(delivery.begin(a_document(case, self.now), case, CALENDAR))

    @rule(days=st.integers(20, 60), is_calling=st.booleans())
    def archive(self, days, is_calling):
        papers, at = [paper for each in self.papers.values() for paper in each], self.now + timedelta(days=days)
        taken = archive.archive(self.filing, papers, days=30, is_calling=is_calling, at=at)
        waits = any(paper.is_open and paper.due_at > at for paper in papers)
        is_old = self.filing.closed_at is not None and self.filing.closed_at + timedelta(days=30) <= at
        rests = self.filing.state is State.CLOSED and is_old and not is_calling and not waits
        assert taken.filing.is_archived == (rests or self.filing.is_archived)
        assert bool(taken.facts) == rests
        self.filing = taken.filing

    @rule(pick=st.randoms(use_true_random=False), days=st.integers(1, 60))
    def time_passes(self, pick, days):
        """The timers of one case that are due by then fire, in the order of time, each as often as it likes."""
        item = pick.choice(sorted(self.waits_for))
        at = self.now = max(self.now, AT + timedelta(days=days))
        for kind in sorted(TimerKind):
            case = self.filing.case(item)
            due_at = timers_of(case, CALENDAR).get(kind)
            taken = fire(self.filing, item, kind, at=at, calendar=CALENDAR)
            if due_at is None or due_at > at:
                assert taken == rules.Step(self.filing, (), ())
                continue
            if kind in OUTCOMES:
                self.reached[item] = OUTCOMES[kind]
            self.step(taken)

    @invariant()
    def whoever_waits_has_a_timer(self):
        """What waits for a person moves by itself in the end; what a department holds is watched by a limit."""
        for case in self.filing.cases:
            assert bool(timers_of(case, CALENDAR)) == (case.status.value in FREE - {"waiting"})

    @invariant()
    def somebody_can_move(self):
        """Liveness: an open filing has an act that is allowed to its department, or a result on its way."""
        if self.filing.state is State.SUBMITTED:
            assert any(
                self.should(item) in FREE - {"waiting"} or (self.should(item) == "approved" and self.gives[item])
                for item in self.waits_for
            )


Ways.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
test_any_acts_by_all_parties_agree_with_the_oracle = Ways.TestCase
