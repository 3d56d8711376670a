"""The access log (访问记录): what a person is told about who read his or her data."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Access:
    """One act on a person's data: by which body, in which post, when and why; never by whom by name."""

    at: datetime
    act: str
    # The body and the post of the officer, or the service that asked by itself.
    organisation: str | None
    post_title: str | None
    service: str | None
    purpose: str | None
    in_full: bool
