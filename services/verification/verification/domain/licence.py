"""A licence (电子证照) through its life: issued, renewed, made void; that it has expired is computed, never stored."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID
from zoneinfo import ZoneInfo

from verification.domain.identifier import Identifier, LicenceTypeCode
from verification.domain.licence_type import LicenceType
from verification.domain.refusals import HolderCountWrong, LicenceAlreadyVoid, LicenceChanged

# The law counts days by the clock of the whole country.
CHINA = ZoneInfo("Asia/Shanghai")


class State(StrEnum):
    """What a version of a licence is."""

    VALID = "valid"
    SUPERSEDED = "superseded"
    REVOKED = "revoked"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class VoidKind(StrEnum):
    """Why a licence is made void: granted unlawfully (撤销), or struck off as a formality (注销)."""

    REVOKED = "revoked"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Issuer:
    """The body that issues (颁发机构), and where it stands in the organisation tree."""

    uscc: str
    org_id: UUID
    org_path: str
    region_code: str


@dataclass(frozen=True, slots=True)
class Licence:
    """A licence in its current version; the face is kept apart, since most rules need none of it."""

    licence_id: UUID
    licence_type: LicenceTypeCode
    type_version: int
    issuer: Issuer
    serial: str
    holders: tuple[UUID, ...]
    version: int
    recorded: State
    valid_from: date
    valid_until: date | None
    issued_at: datetime

    @property
    def identifier(self) -> str:
        """Name this version by GB/T 36904."""
        return str(Identifier(self.licence_type, self.issuer.uscc, self.serial, self.version))

    def state(self, at: datetime) -> State:
        """Tell what the licence is at a moment."""
        if self.recorded is State.VALID and self.valid_until is not None and _day(at) > self.valid_until:
            return State.EXPIRED
        return self.recorded

    def in_force(self, at: datetime) -> bool:
        """Tell whether the licence proves anything at a moment."""
        return self.state(at) is State.VALID and self.valid_from <= _day(at)


def issue(
    licence_type: LicenceType,
    *,
    licence_id: UUID,
    issuer: Issuer,
    serial: str,
    holders: Sequence[UUID],
    face: Mapping[str, str],
    valid_from: date | None,
    valid_until: date | None,
    at: datetime,
) -> Licence:
    """Issue the first version of a licence (颁发)."""
    if len(set(holders)) != len(holders):
        raise HolderCountWrong(licence_type=licence_type.code)
    licence_type.check_holders(len(holders))
    licence_type.check_face(face)
    first_day = valid_from or _day(at)
    licence = Licence(
        licence_id=licence_id,
        licence_type=licence_type.code,
        type_version=licence_type.version,
        issuer=issuer,
        serial=serial,
        holders=tuple(holders),
        version=1,
        recorded=State.VALID,
        valid_from=first_day,
        valid_until=licence_type.last_day(first_day, valid_until),
        issued_at=at,
    )
    # The identifier refuses parts that it cannot be built of.
    Identifier(licence.licence_type, issuer.uscc, serial, licence.version)
    return licence


def renew(
    licence: Licence,
    licence_type: LicenceType,
    *,
    version: int,
    face: Mapping[str, str],
    valid_from: date | None,
    valid_until: date | None,
    at: datetime,
) -> Licence:
    """Replace the version named by the next one (换发); an expired licence may be renewed, a void one never."""
    _check_standing(licence, version)
    licence_type.check_face(face)
    Identifier(licence.licence_type, licence.issuer.uscc, licence.serial, licence.version + 1)
    first_day = valid_from or _day(at)
    return replace(
        licence,
        type_version=licence_type.version,
        version=licence.version + 1,
        valid_from=first_day,
        valid_until=licence_type.last_day(first_day, valid_until),
        issued_at=at,
    )


def void(licence: Licence, kind: VoidKind, *, version: int) -> Licence:
    """Make the version named void, for good."""
    _check_standing(licence, version)
    return replace(licence, recorded=State(kind))


def _check_standing(licence: Licence, version: int) -> None:
    if licence.recorded is not State.VALID:
        raise LicenceAlreadyVoid(licence_id=str(licence.licence_id), state=licence.recorded.value)
    if licence.version != version:
        raise LicenceChanged(licence_id=str(licence.licence_id), version=licence.version)


def _day(at: datetime) -> date:
    return at.astimezone(CHINA).date()
