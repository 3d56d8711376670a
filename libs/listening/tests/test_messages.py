"""What a message may hold, and what is refused before anybody acts on it."""

from datetime import UTC, datetime

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.struct_pb2 import Struct
from google.protobuf.timestamp_pb2 import Timestamp
from google.protobuf.type_pb2 import Field, Type
from google.protobuf.wrappers_pb2 import DoubleValue, Int64Value, StringValue
from google.rpc.context.attribute_context_pb2 import AttributeContext
from hypothesis import given
from hypothesis import strategies as st
from listening import messages


def struct(**values):
    made = Struct()
    made.update(values)
    return made


@pytest.mark.parametrize(
    "sound",
    [
        StringValue(value="李" * messages.LONGEST),
        Int64Value(value=-messages.LARGEST),
        DoubleValue(value=1e300),
        FieldMask(paths=["a", "b"]),
        AttributeContext.Request(headers={"scope_of_business": "营" * messages.LONGEST_IN_MAP}),
        Type(name="t", fields=[Field(name="f", kind=9, packed=True)]),
        struct(a="b", c=1.0, d=True),
        struct(),
    ],
)
def test_what_is_sound_is_read_as_it_was(sound):
    assert messages.read(type(sound), sound.SerializeToString()) == sound


@pytest.mark.parametrize(
    ("unfit", "part"),
    [
        (StringValue(value="a\0b"), "value"),
        (StringValue(value="x" * (messages.LONGEST + 1)), "value"),
        (AttributeContext.Request(headers={"a": "x" * (messages.LONGEST_IN_MAP + 1)}), "headers"),
        (Int64Value(value=2**31), "value"),
        (Int64Value(value=-(2**63)), "value"),
        (FieldMask(paths=["a", "\0"]), "paths"),
        (Type(name="t", fields=[Field(name="\0")]), "name"),
        (struct(a="\0"), "string_value"),
        (struct(**{"\0": "a"}), "fields"),
    ],
)
def test_what_no_column_holds_is_refused_by_the_name_of_its_field(unfit, part):
    with pytest.raises(messages.Unfit, match=f"^{part}$"):
        messages.read(type(unfit), unfit.SerializeToString())


@pytest.mark.parametrize(
    "sent",
    [
        Timestamp(seconds=2**63 - 1),
        Timestamp(seconds=-(2**63)),
        Timestamp(nanos=-1),
        Timestamp(nanos=2**31 - 1),
        Timestamp(seconds=253_402_300_799),
        Timestamp(seconds=-62_135_596_800),
    ],
)
def test_a_moment_that_no_place_has_a_date_for(sent):
    holder = AttributeContext.Request(time=sent)
    with pytest.raises(messages.Unfit, match=r"^time$"):
        messages.read(type(holder), holder.SerializeToString())


@given(st.binary(max_size=200))
def test_bytes_give_a_message_or_a_refusal_and_nothing_else(data):
    for kind in (StringValue, Struct, Type, FieldMask, Timestamp):
        try:
            messages.read(kind, data)
        except messages.Unfit:
            continue


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "9999-06-01T00:00:00+00:00",
        "2026-11-21",
        "2026-11-21T10:00:00",
        "0001-01-01T00:00:00+23:59",
        "9999-12-31T23:59:59-23:59",
    ],
)
def test_a_time_that_is_none(text):
    with pytest.raises(messages.Unfit, match=r"^time$"):
        messages.moment(text, "time")


def test_a_time_that_is_one():
    assert messages.moment("2026-11-21T18:00:00+08:00", "time") == datetime(2026, 11, 21, 10, tzinfo=UTC)


def test_an_id_is_one():
    assert messages.identity("00000000-0000-7000-8000-000000000201", "case_id").int & 0xFFF == 0x201
    with pytest.raises(messages.Unfit, match="case_id"):
        messages.identity("110101190001011237", "case_id")
