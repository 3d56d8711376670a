"""What may be entered in a field, whatever its matter says."""

import pytest
from listening.messages import LONGEST_IN_MAP
from orchestration.usecases.forms import form_errors

ANY = {"type": "object", "properties": {"scope": {"type": "string"}, "rows": {"type": "array"}}}


@pytest.mark.parametrize("text", ["", "住宿、餐饮\n零售", "营" * LONGEST_IN_MAP, "👨‍👩‍👧"])
def test_text_is_entered_as_it_is(text):
    assert form_errors(ANY, {"scope": text, "rows": [{"a": text}]}) == []


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("营" * (LONGEST_IN_MAP + 1), "MAXLENGTH"),  # the licence library would refuse what it is asked to issue
        ("a\x00b", "PATTERN"),
        ("甲\u202e乙", "PATTERN"),
        ("a\ufeff", "PATTERN"),
    ],
)
def test_what_cannot_stand_on_a_licence_is_refused_by_its_place(text, reason):
    assert form_errors(ANY, {"rows": [{"a": text}]}) == [{"field": "rows.0.a", "reason": reason}]
