"""What a reader of the library is shown of a licence."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from verification.domain import face as faces
from verification.domain.face import FaceEntry
from verification.domain.identifier import LicenceTypeCode
from verification.domain.licence import Issuer, Licence, State
from verification.domain.licence_type import LicenceType


@dataclass(frozen=True, slots=True)
class PastVersion:
    """A version that was replaced."""

    version: int
    identifier: str
    valid_from: date
    valid_until: date | None
    issued_at: datetime


@dataclass(frozen=True, slots=True)
class LicenceFile:
    """A licence with its type and its face, as it lies in the library."""

    licence: Licence
    licence_type: LicenceType
    face: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class LicenceView:
    """A licence as it is read."""

    licence_id: UUID
    licence_type: LicenceTypeCode
    name: str
    identifier: str
    version: int
    state: State
    valid_from: date
    valid_until: date | None
    issued_at: datetime
    issuer: Issuer
    holder_ids: tuple[UUID, ...]
    face: tuple[FaceEntry, ...]
    past_versions: tuple[PastVersion, ...] = ()


def in_full(file: LicenceFile, *, at: datetime, past_versions: Sequence[PastVersion] = ()) -> LicenceView:
    """Show a licence with its whole face."""
    return _view(file, faces.in_full(file.licence_type.face_fields, file.face), at, past_versions)


def masked(file: LicenceFile, *, at: datetime, past_versions: Sequence[PastVersion] = ()) -> LicenceView:
    """Show a licence without the numbers that name a person."""
    return _view(file, faces.masked(file.licence_type.face_fields, file.face), at, past_versions)


def _view(
    file: LicenceFile, face: tuple[FaceEntry, ...], at: datetime, past_versions: Sequence[PastVersion]
) -> LicenceView:
    licence = file.licence
    return LicenceView(
        licence_id=licence.licence_id,
        licence_type=licence.licence_type,
        name=file.licence_type.name,
        identifier=licence.identifier,
        version=licence.version,
        state=licence.state(at),
        valid_from=licence.valid_from,
        valid_until=licence.valid_until,
        issued_at=licence.issued_at,
        issuer=licence.issuer,
        holder_ids=licence.holders,
        face=face,
        past_versions=tuple(past_versions),
    )
