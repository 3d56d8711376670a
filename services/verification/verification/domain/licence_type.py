"""Licence types (证照类型): what a licence of the type shows, who may hold it, how long it lasts. Data, not code."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import MAXYEAR, date
from enum import StrEnum

from verification.domain.identifier import LicenceTypeCode, licence_type_code
from verification.domain.refusals import (
    FaceFieldMissing,
    FaceFieldsRepeated,
    FaceFieldUnknown,
    HolderCountWrong,
    IssuerMalformed,
    ValidityReversed,
    ValidityTooLong,
)

USCC_LENGTH = 18


class HolderKind(StrEnum):
    """Who holds a licence of the type (持证主体)."""

    PERSON = "person"
    COUPLE = "couple"
    FAMILY = "family"
    LEGAL_PERSON = "legal_person"


# The least and the most of them.
_HOLDERS: Mapping[HolderKind, tuple[int, int]] = {
    HolderKind.PERSON: (1, 1),
    HolderKind.COUPLE: (2, 2),
    HolderKind.FAMILY: (1, 10),
    HolderKind.LEGAL_PERSON: (1, 1),
}


class FieldKind(StrEnum):
    """What a face field holds, which decides how it is masked."""

    TEXT = "text"
    DATE = "date"
    ID_NUMBER = "id_number"
    PHONE = "phone"


@dataclass(frozen=True, slots=True)
class FaceField:
    """One thing that the face of a licence (照面) shows."""

    code: str
    title: str
    kind: FieldKind = FieldKind.TEXT
    required: bool = True


@dataclass(frozen=True, slots=True)
class LicenceType:
    """One version of a licence type, in force from its day until a later version is."""

    code: LicenceTypeCode
    version: int
    name: str
    defining_body: str
    holder_kind: HolderKind
    face_fields: tuple[FaceField, ...]
    validity_years: int | None
    effective_from: date

    def __post_init__(self) -> None:
        licence_type_code(self.code)
        if len(self.defining_body) != USCC_LENGTH:
            raise IssuerMalformed
        if len({field.code for field in self.face_fields}) != len(self.face_fields):
            raise FaceFieldsRepeated

    def same_content(self, other: "LicenceType") -> bool:
        """Tell whether the other says the same, whatever its version number."""
        return (
            self.code,
            self.name,
            self.defining_body,
            self.holder_kind,
            self.face_fields,
            self.validity_years,
            self.effective_from,
        ) == (
            other.code,
            other.name,
            other.defining_body,
            other.holder_kind,
            other.face_fields,
            other.validity_years,
            other.effective_from,
        )

    def check_holders(self, count: int) -> None:
        """Refuse a number of holders that the type does not know."""
        least, most = _HOLDERS[self.holder_kind]
        if not least <= count <= most:
            raise HolderCountWrong(licence_type=self.code, least=least, most=most)

    def check_face(self, face: Mapping[str, str]) -> None:
        """Refuse a face with fields that the type does not show, or without one that it must."""
        known = {field.code for field in self.face_fields}
        unknown = sorted(face.keys() - known)
        if unknown:
            raise FaceFieldUnknown(licence_type=self.code, count=len(unknown))
        for field in self.face_fields:
            if field.required and not face.get(field.code, "").strip():
                raise FaceFieldMissing(licence_type=self.code, field=field.code)

    def last_day(self, first_day: date, asked: date | None) -> date | None:
        """Give the last day of validity: the one asked for if the rule allows it, else the rule's own."""
        longest = None if self.validity_years is None else self._years_later(first_day, self.validity_years)
        if asked is None:
            return longest
        if asked < first_day:
            raise ValidityReversed
        if longest is not None and asked > longest:
            raise ValidityTooLong(licence_type=self.code, years=self.validity_years)
        return asked

    def _years_later(self, day: date, years: int) -> date:
        """Give the same day years later; of 29 February the 28th where there is none."""
        if day.year + years > MAXYEAR:
            raise ValidityTooLong(licence_type=self.code, years=years)
        try:
            return day.replace(year=day.year + years)
        except ValueError:
            return day.replace(year=day.year + years, day=28)
