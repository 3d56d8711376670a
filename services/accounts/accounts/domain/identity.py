"""Numbers that name people and bodies: GB 11643 for citizens, GB 32100 for organisations, mobile phones.

Invalid
├── IdNumberMalformed      not the shape of an identity number, or a birth date that cannot be
├── IdNumberCheckFailed    the check character does not fit: mistyped
├── UsccInvalid            not a unified social credit code
└── PhoneInvalid           not a mobile number
"""

import re
from dataclasses import dataclass, field
from datetime import date
from enum import Enum

from common.errors import Invalid
from stdnum.cn import ric, uscc
from stdnum.exceptions import ValidationError

_HALF_WIDTH = {full: full - 0xFEE0 for full in range(0xFF01, 0xFF5F)}
_NUMBER = re.compile(r"[0-9]{17}[0-9X]")
_OLD_NUMBER = re.compile(r"[0-9]{15}")
_USCC = re.compile(r"[0-9A-HJ-NPQRTUWXY]{2}[0-9]{6}[0-9A-HJ-NPQRTUWXY]{10}")
_PHONE = re.compile(r"1[3-9][0-9]{9}")
_SUBJECT_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)


class IdNumberMalformed(Invalid):
    """The identity number has not the right form."""


class IdNumberCheckFailed(Invalid):
    """The identity number's check character does not fit."""


class UsccInvalid(Invalid):
    """The unified social credit code is not valid."""


class PhoneInvalid(Invalid):
    """The phone number is not a mobile number."""


class Sex(Enum):
    MALE = "male"
    FEMALE = "female"


class Source(Enum):
    """Where a number comes from: what a person says, or what an authority's record holds."""

    STATED = "stated"
    AUTHORITY = "authority"


class NumberFlag(Enum):
    """What is odd about a number that an authority's record holds all the same."""

    CHECK_FAILED = "check_failed"
    CONVERTED = "converted"


@dataclass(frozen=True, slots=True)
class IdNumber:
    """A citizen's identity number (公民身份号码), 18 characters."""

    text: str = field(repr=False)
    flag: NumberFlag | None = None

    @property
    def born(self) -> date:
        return ric.get_birth_date(self.text)

    @property
    def sex(self) -> Sex:
        return Sex.MALE if int(self.text[16]) % 2 else Sex.FEMALE


def read_id_number(typed: str, *, source: Source, on: date) -> IdNumber:
    """Read a number; an authority's record may hold one that fails, and it is then flagged instead of refused.

    The county is not looked up: it is that of the first registration, and counties come and go.
    """
    text = normal_id_number(typed)
    flag = NumberFlag.CONVERTED if len(normal(typed)) != len(text) else None
    number = IdNumber(text, flag)
    try:
        born = number.born
    except ValidationError:
        raise IdNumberMalformed from None
    if born > on or (flag and source is Source.STATED):
        raise IdNumberMalformed
    if ric.calc_check_digit(text) == text[-1]:
        return number
    if source is Source.STATED:
        raise IdNumberCheckFailed
    return IdNumber(text, NumberFlag.CHECK_FAILED)


def normal_id_number(typed: str) -> str:
    """Give the 18 characters that people are found by; an old number of 15 is completed."""
    text = normal(typed)
    if _OLD_NUMBER.fullmatch(text):
        return with_check_character(f"{text[:6]}19{text[6:]}")
    if not _NUMBER.fullmatch(text):
        raise IdNumberMalformed
    return text


def with_check_character(seventeen: str) -> str:
    return seventeen + ric.calc_check_digit(f"{seventeen}0")


def read_uscc(typed: str) -> str:
    """Read a unified social credit code (统一社会信用代码)."""
    text = normal(typed)
    if not _USCC.fullmatch(text) or uscc.calc_check_digit(text[:17]) != text[17]:
        raise UsccInvalid
    return text


def subject_fits(code: str) -> bool:
    """Say whether the organisation code inside a USCC fits its own check character.

    Some early and special codes do not: a warning, never a refusal.
    """
    total = sum(int(character, 36) * weight for character, weight in zip(code[8:16], _SUBJECT_WEIGHTS, strict=True))
    return "0123456789X0"[11 - total % 11] == code[16]


def read_phone(typed: str) -> str:
    text = normal(typed)
    if not _PHONE.fullmatch(text):
        raise PhoneInvalid
    return text


def normal(typed: str) -> str:
    """Take away what keyboards add: blanks, full-width characters, small letters."""
    return "".join(typed.translate(_HALF_WIDTH).split()).upper()


def mask_name(name: str) -> str:
    return name[:1] + "*" * (len(name) - 1)


def mask_number(number: str) -> str:
    return f"{number[:6]}{'*' * 8}{number[-4:]}"


def mask_phone(phone: str) -> str:
    return f"{phone[:3]}****{phone[-4:]}"
