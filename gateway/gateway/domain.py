"""The rules of the front door: its faces, its paths, where one may come from and go back to.

Refusal
├── NoSuchPath, NoSuchService              404
├── MethodNotAllowed, BodyTooLarge, TargetTooLong, HeadersTooLarge
├── SessionMissing, BearerMissing          401
├── ForeignOrigin, CsrfHeaderMissing       403
├── LogInStateUnknown, LogInOfAnotherBrowser, LogInRefused, LogInTooWeak, LogInTooOld, IssuerMismatch
├── StepUpByAnother, NoSuchSession, LogoutTokenRefused
├── TooManyCalls                           429
└── SessionsAway, KeycloakAway, ServiceAway, ServiceTooSlow, ServiceMisbehaved
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from urllib.parse import unquote_to_bytes, urlsplit

from common.errors import Denied, Invalid, NotFound, Refusal, TooMany, Unauthenticated, Unavailable

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"})
SAFE_METHODS = frozenset({"GET", "HEAD"})
TARGET_LIMIT = 8 * 1024
HEADER_COUNT_LIMIT = 64
HEADER_SIZE_LIMIT = 16 * 1024

_SEGMENT = r"(?:[A-Za-z0-9\-._~!$&'()*+,;=:@]|%[0-9A-Fa-f]{2})+"
_API = re.compile(rf"(?:/(citizen|workbench))?/api/([a-z][a-z0-9-]*)(/v1(?:/{_SEGMENT})+)")
_DOTS = re.compile(r"/\.{1,2}(?:/|$)")
# what must not hide behind an escape: control characters, percent, dot, slashes
_HIDDEN = re.compile(r"%(?:[01][0-9A-Fa-f]|7[fF]|25|2[eEfF]|5[cC])")
_PAGE = re.compile(r"/[A-Za-z0-9\-._~!$&'()*+,;=:@%/]*")


class NoSuchPath(NotFound):
    """There is nothing at this address."""


class NoSuchService(NotFound):
    """There is no such service."""


class MethodNotAllowed(Refusal):
    """This method is not served here."""


class BodyTooLarge(Refusal):
    """The body is larger than is taken here."""


class TargetTooLong(Refusal):
    """The address is longer than is taken here."""


class HeadersTooLarge(Refusal):
    """The headers are more or longer than are taken here."""


class SessionMissing(Unauthenticated):
    """Nobody is logged in."""


class BearerMissing(Unauthenticated):
    """A bearer token is needed."""


class CsrfHeaderMissing(Denied):
    """The header that our own pages send is missing."""


class ForeignOrigin(Denied):
    """The call does not come from our own pages."""


class LogInStateUnknown(Invalid):
    """This log-in was not begun here, has been used, or took too long."""


class LogInOfAnotherBrowser(Invalid):
    """This log-in was begun in another browser."""


class IssuerMismatch(Invalid):
    """The answer comes from another issuer."""


class LogInRefused(Denied):
    """The log-in was refused or broken off."""


class LogInTooWeak(Denied):
    """The log-in was not as strong as this face needs."""


class LogInTooOld(Denied):
    """The log-in was not as recent as the act needs."""


class StepUpByAnother(Denied):
    """Somebody else than the one who is logged in answered the step-up."""


class NoSuchSession(NotFound):
    """The person has no such session."""


class LogoutTokenRefused(Refusal):
    """The log-out token is not one of ours."""


class TooManyCalls(TooMany):
    """More calls than one caller may make."""


class SessionsAway(Unavailable):
    """Sessions cannot be read for now."""


class KeycloakAway(Unavailable):
    """The log-in service is away for now."""


class ServiceAway(Unavailable):
    """The service is away for now."""


class ServiceTooSlow(Unavailable):
    """The service did not answer in time."""


class ServiceMisbehaved(Unavailable):
    """The service's answer cannot be passed on."""


@dataclass(frozen=True, slots=True)
class Face:
    """One of the faces (门户): its people's realm, and how strongly they log in."""

    name: str
    realm: str
    acr: int

    @property
    def home(self) -> str:
        return f"/{self.name}/"

    @property
    def cookie(self) -> str:
        return f"__Host-{self.name}"

    @property
    def log_in_cookie(self) -> str:
        return f"__Host-{self.name}-login"


FACES = {face.name: face for face in (Face("citizen", "citizen", 1), Face("workbench", "gov", 2))}
STRONGEST = 3


@dataclass(frozen=True, slots=True)
class Device:
    """Where somebody is logged in: the kind of browser and of system (设备)."""

    browser: str
    system: str


# in the order of looking: many browsers also carry the names of others
_BROWSERS = {
    "MicroMessenger": "wechat",
    "DingTalk": "dingtalk",
    "AlipayClient": "alipay",
    "Edg": "edge",
    "HuaweiBrowser": "huawei",
    "Firefox": "firefox",
    "FxiOS": "firefox",
    "Chrome": "chrome",
    "CriOS": "chrome",
    "Safari": "safari",
}
_SYSTEMS = {
    "OpenHarmony": "harmony",
    "HarmonyOS": "harmony",
    "Android": "android",
    "iPhone": "ios",
    "iPad": "ios",
    "Windows": "windows",
    "Mac OS": "macos",
    "Linux": "linux",
}


@dataclass(frozen=True, slots=True)
class Destination:
    """A service's route, and the face whose session opens it (none: a bearer token does)."""

    face: Face | None
    service: str
    path: str

    @property
    def prefix(self) -> str:
        return f"{'/' + self.face.name if self.face else ''}/api/{self.service}"


@dataclass(frozen=True, slots=True)
class Limit:
    """A token bucket: so many calls a second, so many at once."""

    rate: float
    burst: int


def destination(path: str) -> Destination:
    """Read the address as it was sent. What two parsers might read differently is refused, not cleaned."""
    found = _API.fullmatch(path)
    if found is None or _DOTS.search(path) or _HIDDEN.search(path) or not _is_text(path):
        raise NoSuchPath
    face, service, rest = found.groups()
    return Destination(FACES[face] if face else None, service, rest)


def return_address(face: Face, asked: str | None) -> str:
    """Where to go after log-in: only a page of the same face, else its first page."""
    if not asked or len(asked) > TARGET_LIMIT // 4:
        return face.home
    if not asked.isascii() or not asked.isprintable() or "\\" in asked or " " in asked:
        return face.home
    # before it is taken apart: half a host of IPv6 cannot be
    if not asked.startswith(face.home):
        return face.home
    parts = urlsplit(asked)
    path = parts.path
    if parts.scheme or parts.netloc or "//" in path or _DOTS.search(path) or _HIDDEN.search(path):
        return face.home
    if path.startswith(f"{face.home}auth/") or not _PAGE.fullmatch(path):
        return face.home
    return asked


def check_own_page(public_origin: str, *, csrf: str | None, origin: str | None, fetch_site: str | None) -> None:
    """A call that changes something must come from our own pages, not from a stranger's with our cookie."""
    if csrf != "1":
        raise CsrfHeaderMissing
    if origin != public_origin if origin is not None else fetch_site != "same-origin":
        raise ForeignOrigin


def wanted_acr(face: Face, asked: str | None) -> int:
    """The face's own strength, or more where a step-up asks for it."""
    if asked is None or not re.fullmatch(rf"[1-{STRONGEST}]", asked):
        return face.acr
    return max(face.acr, int(asked))


def wanted_max_age(asked: str | None) -> int | None:
    """How many seconds ago a person may have proven who he or she is; None where nobody asks."""
    if asked is None or not re.fullmatch(r"\d{1,5}", asked, re.ASCII):
        return None
    return int(asked)


def device(user_agent: str) -> Device:
    """Enough of a device for its owner to know it again, and not more."""
    return Device(_first(_BROWSERS, user_agent), _first(_SYSTEMS, user_agent))


def coarse(address: str) -> str:
    """The net that an address belongs to: enough to tell home from abroad."""
    try:
        known = ip_address(address)
    except ValueError:
        return ""
    return str(ip_network((known, 16 if known.version == 4 else 32), strict=False))  # noqa: PLR2004 IPv4


def _first(names: Mapping[str, str], text: str) -> str:
    return next((name for mark, name in names.items() if mark in text), "other")


def _is_text(path: str) -> bool:
    if "%" not in path:
        return True
    try:
        unquote_to_bytes(path).decode()
    except UnicodeDecodeError:
        return False
    return True
