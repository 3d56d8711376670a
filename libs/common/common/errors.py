"""Refusals: how any room says no, without knowing which door will say it.

Refusal                 the rules say no
├── NotFound            there is no such thing, or none that the caller may see
├── Invalid             what was sent cannot be understood
├── Denied              the caller may not
├── Unauthenticated     who calls is not proven
│   └── StepUpNeeded    it is, but not strongly or not recently enough
├── Conflict            somebody else changed it meanwhile: read again, then retry
├── TooMany             more than the quota
└── Unavailable         a part is away for now: the same call may work later
"""

import re
from enum import Enum
from typing import ClassVar


class Kind(Enum):
    """The families; the doors own the table from a kind to their numbers."""

    REFUSED = "refused"
    NOT_FOUND = "not_found"
    INVALID = "invalid"
    DENIED = "denied"
    UNAUTHENTICATED = "unauthenticated"
    STEP_UP = "step_up"
    CONFLICT = "conflict"
    TOO_MANY = "too_many"
    UNAVAILABLE = "unavailable"


class Refusal(Exception):
    """The rules do not allow this."""

    kind: ClassVar[Kind] = Kind.REFUSED
    reason: ClassVar[str] = "REFUSAL"

    def __init_subclass__(cls, **kwargs: object) -> None:
        super().__init_subclass__(**kwargs)
        if "reason" not in cls.__dict__:
            cls.reason = re.sub(r"(?<!^)(?<![A-Z])(?=[A-Z])", "_", cls.__name__).upper()

    def __init__(self, **data: object) -> None:
        """Keep ids and codes for the answer; never names, numbers or tokens of people."""
        super().__init__(self.reason)
        self.data = data


class NotFound(Refusal):
    """There is no such thing."""

    kind = Kind.NOT_FOUND


class Invalid(Refusal):
    """The request cannot be understood."""

    kind = Kind.INVALID


class Denied(Refusal):
    """The caller may not do this."""

    kind = Kind.DENIED


class Unauthenticated(Refusal):
    """The caller is not known."""

    kind = Kind.UNAUTHENTICATED


class StepUpNeeded(Unauthenticated):
    """A stronger or fresher log-in is needed."""

    kind = Kind.STEP_UP


class Conflict(Refusal):
    """It was changed by somebody else meanwhile."""

    kind = Kind.CONFLICT


class TooMany(Refusal):
    """Too many requests."""

    kind = Kind.TOO_MANY


class Unavailable(Refusal):
    """A part of the system is away for now."""

    kind = Kind.UNAVAILABLE


class RemoteRefusal(Refusal):
    """Another service said no; its word for it, its family and its sentence are kept."""

    def __init__(self, reason: str, *, kind: Kind, sentence: str = "", **data: object) -> None:
        super().__init__(**data)
        # Only here do word and family belong to the object: they are the other service's.
        vars(self).update(reason=reason, kind=kind)
        self.sentence = sentence
