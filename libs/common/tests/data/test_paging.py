import json
from base64 import urlsafe_b64encode
from datetime import UTC, date, datetime
from uuid import UUID

import pytest
from common.paging import INTEGERS, CursorInvalid, cut, decode, encode
from hypothesis import given
from hypothesis import strategies as st

PRINTABLE = st.text(max_size=40).filter(str.isprintable)
KEYS = st.one_of(
    st.datetimes(timezones=st.just(UTC)),
    st.dates(),
    st.uuids(),
    PRINTABLE,
    st.integers(INTEGERS.start, INTEGERS.stop - 1),
)


@given(st.lists(KEYS, min_size=1, max_size=4))
def test_a_cursor_comes_back_as_it_went(key):
    assert decode(encode(*key), *(type(part) for part in key)) == tuple(key)


@given(st.text(max_size=200))
def test_anything_else_is_refused(cursor):
    with pytest.raises(CursorInvalid):
        decode(cursor, datetime, UUID)


@pytest.mark.parametrize(
    ("plain", "types"),
    [
        (["2026-11-23T09:00:00"], [datetime]),
        (["2026-11-23T09:00:00+08:00"], [date]),
        (["0001-01-01T00:00:00+14:00"], [datetime]),  # before there were years where everybody counts
        ([1, 2], [int]),
        ([True], [int]),
        ([2**63], [int]),
        (["1"], [int]),
        (["a\x00b"], [str]),
        (["\ud800"], [str]),
        ([1], [str]),
        (["1"], [UUID]),
        ({"a": 1}, [str]),
    ],
)
def test_a_forged_cursor_is_refused(plain, types):
    with pytest.raises(CursorInvalid):
        decode(urlsafe_b64encode(json.dumps(plain).encode()).decode(), *types)


def test_a_long_cursor_is_refused():
    with pytest.raises(CursorInvalid):
        decode("A" * 1025, str)


@given(st.integers(0, 30), st.integers(1, 10))
def test_pages_hold_every_row_once(rows, size):
    everything, seen, after = list(range(rows)), [], -1
    while True:
        page = cut([row for row in everything if row > after][: size + 1], size, lambda row: (row,))
        assert len(page.items) <= size
        seen += page.items
        if page.next_cursor is None:
            break
        (after,) = decode(page.next_cursor, int)
    assert seen == everything
