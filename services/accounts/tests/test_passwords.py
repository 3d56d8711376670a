"""Which log-ins a changed password ends; the whole way is walked with a browser at the gateway."""

from datetime import UTC, datetime, timedelta

import pytest
from accounts.domain.password import OVERLAP, LoggedIn, PasswordChange, by_the_old_one, told_since

AT = datetime(2026, 11, 21, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
LIVING = [LoggedIn("own", AT - SECOND), LoggedIn("other", AT - SECOND), LoggedIn("later", AT + SECOND)]


@pytest.mark.parametrize(
    ("session", "ended"), [("own", ["other"]), (None, ["own", "other"]), ("unknown", ["own", "other"])]
)
def test_a_change_ends_what_was_begun_before_it_elsewhere(session: str | None, ended: list[str]):
    assert by_the_old_one(PasswordChange("somebody", AT, session), LIVING) == ended


def test_a_log_in_of_the_same_moment_is_taken_for_an_old_one():
    assert by_the_old_one(PasswordChange("somebody", AT, None), [LoggedIn("just", AT)]) == ["just"]


def test_one_looks_on_from_a_little_before_the_newest_change_and_never_back():
    changes = [PasswordChange("somebody", AT + each, None) for each in (timedelta(0), timedelta(hours=1))]
    assert told_since(AT, changes) == AT + timedelta(hours=1) - OVERLAP
    assert told_since(AT, changes[:1]) == AT
    assert told_since(AT, []) == AT
