"""Lists by cursor: a page, and an opaque pointer to where it ended."""

import binascii
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from uuid import UUID

from common.errors import Invalid

DEFAULT_SIZE = 20
MAX_SIZE = 100
MAX_CURSOR = 1024
INTEGERS = range(-(2**63), 2**63)

type Key = datetime | date | UUID | str | int


class CursorInvalid(Invalid):
    """The page cursor is not one of ours."""


@dataclass(frozen=True, slots=True)
class Page[T]:
    """Some rows of a list, and where to go on; no cursor means this was the end."""

    items: list[T]
    next_cursor: str | None


def cut[T](rows: Sequence[T], size: int, key: Callable[[T], tuple[Key, ...]]) -> Page[T]:
    """Make a page of at most `size` out of rows that were read with `limit size + 1`."""
    shown = list(rows[:size])
    return Page(shown, encode(*key(shown[-1])) if len(rows) > size else None)


def encode(*key: Key) -> str:
    """Write the sort key of the last row shown."""
    plain = [str(part) if isinstance(part, UUID) else _text(part) for part in key]
    return urlsafe_b64encode(json.dumps(plain, separators=(",", ":"), ensure_ascii=False).encode()).decode().rstrip("=")


def decode(cursor: str, *types: type[Key]) -> tuple[Key, ...]:
    """Read a cursor back as a key of these types; anything else is refused, nothing reaches the database."""
    if len(cursor) > MAX_CURSOR:
        raise CursorInvalid
    try:
        parts = json.loads(urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4)))
        if not isinstance(parts, list) or len(parts) != len(types):
            raise CursorInvalid
        return tuple(_read(kind, part) for kind, part in zip(types, parts, strict=True))
    except (binascii.Error, ValueError, OverflowError, RecursionError) as error:
        raise CursorInvalid from error


def _text(part: datetime | date | str | int) -> str | int:
    return part.isoformat() if isinstance(part, date) else part


def _read(kind: type[Key], part: object) -> Key:
    if kind is int and isinstance(part, int) and not isinstance(part, bool) and part in INTEGERS:
        return part
    if not isinstance(part, str) or "\x00" in part or not part.isprintable():
        raise CursorInvalid
    if kind is UUID:
        return UUID(part)
    if kind is datetime:
        moment = datetime.fromisoformat(part)
        if moment.tzinfo is None:
            raise CursorInvalid
        return moment.astimezone(UTC)
    if kind is date:
        return date.fromisoformat(part)
    if kind is not str:
        raise CursorInvalid
    return part
