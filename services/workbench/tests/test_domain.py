"""The rules: facts in any order give the same todo; one officer claims."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from common.errors import Refusal
from hypothesis import given
from hypothesis import strategies as st
from workbench import domain
from workbench.domain import Deadlines, Description, Stage, State, Todo

AT = datetime(2026, 3, 2, 1, tzinfo=UTC)
EMPTY = Todo(todo_id=UUID(int=1), source="orchestration", source_id="c1", version=0, stage=Stage.READY)
WHAT = Description("出生医学证明签发 370303-1", UUID(int=2), "zibo.zhangdian.health", "370303", AT)
DUE = Deadlines(AT + timedelta(days=3), AT + timedelta(days=20))
FACTS = {
    "ready": lambda todo: domain.make_ready(todo, WHAT, version=1),
    "accepted": lambda todo: domain.accept(todo, DUE, version=2),
    "decided": lambda todo: domain.finish(todo, version=3, at=AT),
}


def told(*names):
    todo = EMPTY
    for name in names:
        todo = FACTS[name](todo)
    return todo


@given(st.lists(st.sampled_from(sorted(FACTS)), max_size=9))
def test_order_and_repetition_do_not_matter(names):
    assert told(*names) == told(*sorted(set(names), key=["ready", "accepted", "decided"].index))


@pytest.mark.parametrize(
    ("names", "state", "due", "seen"),
    [
        (["ready"], State.OPEN, None, True),
        (["accepted"], State.OPEN, DUE, False),
        (["accepted", "ready"], State.OPEN, DUE, True),
        (["decided", "ready"], State.DONE, None, True),
        (["decided"], State.DONE, None, False),
        (["ready", "decided", "accepted"], State.DONE, DUE, True),
    ],
)
def test_the_later_version_stands(names, state, due, seen):
    todo = told(*names)
    assert (todo.state, todo.deadlines, todo.description is not None) == (state, due, seen)


def test_a_task_that_became_ready_again_is_open_again():
    again = domain.make_ready(told("ready", "decided"), replace(WHAT, title="再次办理"), version=4)
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
