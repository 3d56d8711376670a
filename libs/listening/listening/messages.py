"""Reads protobuf as it comes from the wire: a message that no table of ours could hold is refused where it arrives.

The wire format knows texts with NUL, moments before there were years and numbers of 64 bits; a column does not. Found
out only in a statement, each of them would look like a fault of ours that a retry may mend.
"""

from collections.abc import Iterable, Mapping
from datetime import MAXYEAR, MINYEAR, UTC, datetime
from uuid import UUID

from google.protobuf.message import DecodeError, Message
from google.protobuf.timestamp_pb2 import Timestamp

# in UTF-8 an index still takes it; names, codes and ids are shorter
LONGEST = 500
# what stands on a licence travels as a map from its fields, and lies sealed, in no index: a scope of business is long
LONGEST_IN_MAP = 4_000
LARGEST = 2**31 - 1
# in these years a moment may have no date in some place on earth
FIRST_YEAR, LAST_YEAR = MINYEAR, MAXYEAR


class Unfit(ValueError):
    """What came is not what it should be; the argument says which part, never what stood there."""


def read[M: Message](kind: type[M], data: bytes) -> M:
    """Read a message of this kind, or refuse it."""
    message = kind()
    try:
        message.ParseFromString(data)
    except DecodeError as error:
        raise Unfit("message") from error
    _look_at(message)
    return message


def moment(text: str, part: str) -> datetime:
    """Read a moment by ISO 8601, with its zone."""
    try:
        said = datetime.fromisoformat(text)
    except ValueError as error:
        raise Unfit(part) from error
    # the very first and last moments can be compared only with others of no zone
    if said.tzinfo is None or not FIRST_YEAR < said.year < LAST_YEAR:
        raise Unfit(part)
    return said


def identity(text: str, part: str) -> UUID:
    """Read an id."""
    try:
        return UUID(text)
    except ValueError as error:
        raise Unfit(part) from error


def _look_at(message: Message) -> None:
    for field, value in message.ListFields():
        longest = LONGEST_IN_MAP if isinstance(value, Mapping) else LONGEST
        for each in _every(value):
            if isinstance(each, str):
                fit = len(each) <= longest and "\0" not in each
            elif isinstance(each, Timestamp):
                fit = _is_moment(each)
            elif isinstance(each, Message):
                _look_at(each)
                continue
            else:
                fit = not isinstance(each, int) or abs(each) <= LARGEST
            if not fit:
                raise Unfit(field.name)


def _every(value: object) -> Iterable[object]:
    if isinstance(value, str | bytes | Message):
        return (value,)
    if isinstance(value, Mapping):
        return (*value, *value.values())
    return value if isinstance(value, Iterable) else (value,)


def _is_moment(sent: Timestamp) -> bool:
    try:
        return FIRST_YEAR < sent.ToDatetime(UTC).year < LAST_YEAR
    except (ValueError, OverflowError):
        return False
