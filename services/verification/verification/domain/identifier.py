"""The licence identifier (电子证照标识) by GB/T 36904: five parts and a check character."""

import re
from dataclasses import dataclass
from typing import NewType

from stdnum.iso7064 import mod_37_36

from verification.domain.refusals import (
    IdentifierCheckWrong,
    IdentifierMalformed,
    IssuerMalformed,
    LicenceTypeMalformed,
    LicenceVersionsExhausted,
    SerialMalformed,
)

LicenceTypeCode = NewType("LicenceTypeCode", str)

ROOT = "1.2.156.3005.2"
LAST_VERSION = 999

# Only shapes are refused. The check characters inside real codes fail often enough that they prove nothing.
_TYPE = re.compile(r"[0-9A-Z]{21}")
_ISSUER = re.compile(r"[0-9A-Z]{18}")
_SERIAL = re.compile(r"[0-9A-Z]{1,32}")
_WHOLE = re.compile(re.escape(ROOT) + r"\.([0-9A-Z]{21})\.([0-9A-Z]{18})\.([0-9A-Z]{1,32})\.([0-9]{3})\.([0-9A-Z])")


def licence_type_code(text: str) -> LicenceTypeCode:
    """Read a type code: the defining body's 18 characters and three more."""
    if not _TYPE.fullmatch(text):
        raise LicenceTypeMalformed
    return LicenceTypeCode(text)


@dataclass(frozen=True, slots=True)
class Identifier:
    """One version of one licence, named for the whole country."""

    licence_type: LicenceTypeCode
    issuer: str
    serial: str
    version: int

    def __post_init__(self) -> None:
        licence_type_code(self.licence_type)
        if not _ISSUER.fullmatch(self.issuer):
            raise IssuerMalformed
        if not _SERIAL.fullmatch(self.serial):
            raise SerialMalformed
        if not 1 <= self.version <= LAST_VERSION:
            raise LicenceVersionsExhausted

    def __str__(self) -> str:
        version = f"{self.version:03d}"
        check = mod_37_36.calc_check_digit(f"{self.licence_type}{self.issuer}{self.serial}{version}")
        return f"{ROOT}.{self.licence_type}.{self.issuer}.{self.serial}.{version}.{check}"


def parse(text: str) -> Identifier:
    """Read an identifier and prove its check character."""
    parts = _WHOLE.fullmatch(text)
    if parts is None:
        raise IdentifierMalformed
    licence_type, issuer, serial, version, _ = parts.groups()
    if int(version) == 0:
        raise IdentifierMalformed
    identifier = Identifier(LicenceTypeCode(licence_type), issuer, serial, int(version))
    if str(identifier) != text:
        raise IdentifierCheckWrong
    return identifier
