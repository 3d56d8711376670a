"""How much of a licence's face (照面) its reader is shown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from verification.domain.licence_type import FaceField, FieldKind

# (signs left open at the front, at the end)
_OPEN: Mapping[FieldKind, tuple[int, int]] = {FieldKind.ID_NUMBER: (6, 4), FieldKind.PHONE: (3, 4)}


@dataclass(frozen=True, slots=True)
class FaceEntry:
    """A face field with its value, as it may be read."""

    code: str
    title: str
    value: str
    masked: bool


def in_full(fields: Sequence[FaceField], face: Mapping[str, str]) -> tuple[FaceEntry, ...]:
    """Show everything: to the holder, or to an officer who may and says why."""
    return tuple(
        FaceEntry(field.code, field.title, face[field.code], masked=False) for field in fields if field.code in face
    )


def masked(fields: Sequence[FaceField], face: Mapping[str, str]) -> tuple[FaceEntry, ...]:
    """Show what is needed to recognise the licence, and no number that names a person."""
    return tuple(
        FaceEntry(field.code, field.title, _mask(field.kind, face[field.code]), masked=field.kind in _OPEN)
        for field in fields
        if field.code in face
    )


def _mask(kind: FieldKind, value: str) -> str:
    if kind not in _OPEN:
        return value
    front, end = _OPEN[kind]
    if len(value) <= front + end:
        return "*" * len(value)
    return value[:front] + "*" * (len(value) - front - end) + value[-end:]
