"""The rules: facts in any order give the same todo; one officer claims."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from common.errors import Refusal
from hypothesis import given
from hypothesis import strategies as st
from workbench import domain
from workbench.domain import Deadlines, Description, Stage, State, Todo, absence
from workbench.domain.todo import (
    Colleague,
    Colour,
    PostOutside,
    TodoChanged,
    TodoNotClaimed,
    deadlines_of,
    give_back,
    reassign,
)
from worktime import national

AT = datetime(2026, 3, 2, 1, tzinfo=UTC)
EMPTY = Todo(todo_id=UUID(int=1), source="orchestration", source_id="c1", version=0, stage=Stage.READY)
WHAT = Description("出生医学证明签发 370303-1", UUID(int=2), "zibo.zhangdian.health", "370303", AT)
DUE = Deadlines(AT + timedelta(days=3), AT + timedelta(days=20))
FACTS = {
    "ready": lambda todo: domain.make_ready(todo, WHAT, version=1),
    "accepted": lambda todo: domain.accept(todo, DUE, version=2),
    "asked": lambda todo: domain.wait(todo, domain.Waiting(AT, AT + timedelta(days=10)), version=3),
    "supplied": lambda todo: domain.wait(todo, None, version=4),
    "decided": lambda todo: domain.finish(todo, version=5, at=AT),
}


def told(*names):
    todo = EMPTY
    for name in names:
        todo = FACTS[name](todo)
    return todo


@given(st.lists(st.sampled_from(sorted(FACTS)), max_size=9))
def test_order_and_repetition_do_not_matter(names):
    assert told(*names) == told(*sorted(set(names), key=list(FACTS).index))


@pytest.mark.parametrize(
    ("names", "state", "due", "seen"),
    [
        (["ready"], State.OPEN, None, True),
        (["accepted"], State.OPEN, DUE, False),
        (["accepted", "ready"], State.OPEN, DUE, True),
        (["decided", "ready"], State.DONE, None, True),
        (["decided"], State.DONE, None, False),
        (["ready", "asked"], State.WAITING, None, True),
        (["asked", "accepted", "ready"], State.WAITING, DUE, True),
        (["supplied", "asked", "ready"], State.OPEN, None, True),
        (["decided", "asked", "ready"], State.DONE, None, True),
        (["ready", "decided", "accepted"], State.DONE, DUE, True),
    ],
)
def test_the_later_version_stands(names, state, due, seen):
    todo = told(*names)
    assert (todo.state, todo.deadlines, todo.description is not None) == (state, due, seen)


def test_a_task_that_became_ready_again_is_open_again():
    again = domain.make_ready(told("ready", "decided"), replace(WHAT, title="再次办理"), version=6)
    assert (again.state, again.description.title, again.done_at) == (State.OPEN, "再次办理", None)


def test_the_second_claimer_is_told_which_post_was_first():
    todo = domain.claim(told("ready"), post_id="p1", post_title="户籍窗口民警", at=AT)
    assert todo.state is State.CLAIMED
    assert domain.claim(todo, post_id="p1", post_title="户籍窗口民警", at=AT + timedelta(hours=1)) == todo
    with pytest.raises(Refusal) as refused:
        domain.claim(todo, post_id="p2", post_title="户籍窗口民警", at=AT)
    assert (refused.value.reason, refused.value.data["post"]) == ("TODO_ALREADY_CLAIMED", "户籍窗口民警")


def test_what_is_done_cannot_be_claimed():
    with pytest.raises(domain.TodoAlreadyDone):
        domain.claim(told("ready", "decided"), post_id="p1", post_title="", at=AT)


def test_a_claim_outlives_what_the_source_tells():
    todo = domain.claim(told("ready"), post_id="p1", post_title="经办", at=AT)
    assert FACTS["accepted"](todo).state is State.CLAIMED
    assert FACTS["decided"](todo).state is State.DONE


def test_only_who_has_it_gives_it_back():
    todo = domain.claim(told("ready"), post_id="p1", post_title="经办", at=AT)
    with pytest.raises(domain.TodoAlreadyClaimed):
        give_back(todo, post_id="p2", reason="缺材料", at=AT)
    returned = give_back(todo, post_id="p1", reason="不属本窗口", at=AT)
    assert (returned.state, returned.revision, returned.returned.reason) == (State.OPEN, 2, "不属本窗口")
    with pytest.raises(TodoNotClaimed):
        give_back(returned, post_id="p1", reason="再退", at=AT)
    with pytest.raises(domain.TodoAlreadyDone):
        give_back(FACTS["decided"](returned), post_id="p1", reason="再退", at=AT)


def test_a_todo_is_reassigned_as_it_was_seen_and_within_its_organisation():
    todo = told("ready")
    given = reassign(todo, Colleague("p2", "户籍民警", str(WHAT.org_id)), revision=0, at=AT)
    assert (given.claim.post_id, given.revision) == ("p2", 1)
    with pytest.raises(TodoChanged):
        reassign(given, Colleague("p3", "户籍民警", str(WHAT.org_id)), revision=0, at=AT)
    with pytest.raises(PostOutside):
        reassign(given, Colleague("p3", "医保经办", str(UUID(int=3))), revision=1, at=AT)
    with pytest.raises(domain.TodoAlreadyDone):
        reassign(FACTS["decided"](given), Colleague("p3", "户籍民警", str(WHAT.org_id)), revision=1, at=AT)


@pytest.mark.parametrize(
    ("promised", "moment", "colour"),
    [
        # ten working days from Monday 2026-03-02: due Monday 16th, yellow for the last two
        (datetime(2026, 3, 16, 9, 30, tzinfo=UTC), datetime(2026, 3, 12, 9, 29, tzinfo=UTC), Colour.GREEN),
        (datetime(2026, 3, 16, 9, 30, tzinfo=UTC), datetime(2026, 3, 12, 9, 30, tzinfo=UTC), Colour.YELLOW),
        (datetime(2026, 3, 16, 9, 30, tzinfo=UTC), datetime(2026, 3, 16, 9, 30, tzinfo=UTC), Colour.YELLOW),
        (datetime(2026, 3, 16, 9, 30, tzinfo=UTC), datetime(2026, 3, 16, 9, 31, tzinfo=UTC), Colour.RED),
        # three working days: yellow for the last one
        (datetime(2026, 3, 5, 9, 30, tzinfo=UTC), datetime(2026, 3, 4, 9, 29, tzinfo=UTC), Colour.GREEN),
        (datetime(2026, 3, 5, 9, 30, tzinfo=UTC), datetime(2026, 3, 4, 9, 30, tzinfo=UTC), Colour.YELLOW),
        # on the spot: yellow at once
        (datetime(2026, 3, 2, 9, 30, tzinfo=UTC), AT, Colour.YELLOW),
        (None, AT, Colour.GREEN),
    ],
)
def test_what_is_near_is_yellow_and_what_is_over_is_red(promised, moment, colour):
    due = deadlines_of(promised, None, accepted_at=AT, calendar=national())
    todo = domain.accept(told("ready"), due, version=2)
    assert todo.colour(moment) is colour
    assert domain.finish(todo, version=5, at=moment).colour(moment) is None


@given(st.integers(0, 60), st.integers(0, 90))
def test_yellow_begins_no_later_than_the_reminder_and_before_red(limit, days):
    calendar = national()
    promised = calendar.close_of(calendar.nth(calendar.rank(AT.date()) + limit))
    due = deadlines_of(promised, None, accepted_at=AT, calendar=calendar)
    assert due.yellow_at <= due.remind_at < promised
    left = calendar.rank(promised.date()) - calendar.closes_until(AT + timedelta(days=days))
    todo = domain.accept(told("ready"), due, version=2)
    if AT + timedelta(days=days) <= promised:
        assert (todo.colour(AT + timedelta(days=days)) is Colour.YELLOW) == (left <= max(1, limit / 5))


@pytest.mark.parametrize(("days", "fits"), [(0, False), (-1, False), (1, True), (366, True), (367, False)])
def test_an_absence_ends_within_the_year(days, fits):
    today = date(2026, 3, 2)
    if fits:
        assert absence.declare(today + timedelta(days=days), today=today).returns_on == today + timedelta(days=days)
    else:
        with pytest.raises(absence.AbsenceInvalid):
            absence.declare(today + timedelta(days=days), today=today)


def test_who_is_back_today_is_given_work_again():
    away = absence.Absence(date(2026, 3, 3))
    with pytest.raises(absence.PostAbsent):
        absence.check_present(away, post_title="经办", at=datetime(2026, 3, 2, 23, 59))  # noqa: DTZ001 - local time
    absence.check_present(away, post_title="经办", at=datetime(2026, 3, 3))  # noqa: DTZ001 - local time
    absence.check_present(absence.Absence(None), post_title="经办", at=AT)
