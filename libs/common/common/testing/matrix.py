"""Who is refused at which door: every operation of a service, tried by everybody who may not.

A service lists its doors: for each operation, how to knock (path and body of a real, existing thing) and who may.
The matrix adds the callers who may not, knocks as each of them and then as the one who may. An operation of the
OpenAPI document without a door, and a door without an operation, fail the test.
"""

import re
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from common.testing.issuer import Issuer

CHANGES = {"POST", "PUT", "PATCH", "DELETE"}
_NOBODY = "01890000-0000-7000-8000-00000000dead"


@dataclass(frozen=True, slots=True)
class Who:
    """A caller: a name for the report, a token and the post acted in."""

    name: str
    token: str
    post: str = ""
    is_person: bool = True


@dataclass(frozen=True, slots=True)
class Stranger:
    """A caller who has the permission and yet may not: of another region, department, or not the owner."""

    who: Who
    status: int = 404


@dataclass(frozen=True, slots=True)
class Door:
    """One operation and how to knock at it.

    `given` is awaited before each knock that should succeed or that needs a fresh thing; it may replace path and body.
    """

    method: str
    path: str
    who: Who
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    given: Callable[[], Awaitable[tuple[str, Any]]] | None = None
    strangers: Sequence[Stranger] = ()


@dataclass(frozen=True, slots=True)
class Knock:
    """What came of one try."""

    door: str
    caller: str
    expected: str
    status: int
    reason: str

    @property
    def right(self) -> bool:
        return re.fullmatch(self.expected, f"{self.status} {self.reason}".strip()) is not None


class Matrix:
    """Tries every door of a service."""

    def __init__(self, http: httpx.AsyncClient, issuer: Issuer, *, service: str, powerless: Who) -> None:
        """Take `powerless`: an officer with a post that holds no permission at all."""
        self._http = http
        self._issuer = issuer
        self._service = service
        self._powerless = powerless

    async def uncovered(self, doors: Sequence[Door]) -> tuple[set[str], set[str]]:
        """Tell operations without a door, and doors without an operation."""
        operations = await self._operations()
        covered = {name for door in doors if (name := _operation(operations, door))}
        astray = {f"{door.method} {door.path}" for door in doors if not _operation(operations, door)}
        return set(operations) - covered, astray

    async def knock(self, doors: Sequence[Door]) -> list[Knock]:
        """Knock at every door as everybody; a try that came out as it should not is not `right`."""
        operations = await self._operations()
        return [each for door in doors for each in await self._knock(door, operations[_operation(operations, door)])]

    async def _operations(self) -> dict[str, Mapping[str, Any]]:
        document = (await self._http.get("/openapi.json")).json()
        return {
            f"{method.upper()} {path}": operation["x-permission"]
            for path, methods in document["paths"].items()
            for method, operation in methods.items()
        }

    async def _knock(self, door: Door, permission: Mapping[str, Any]) -> list[Knock]:
        tries = [await self._try(door, who, expected) for who, expected in self._refused(door, permission)]
        tries += [await self._try(door, each.who, rf"{each.status} \w+") for each in door.strangers]
        if door.method in CHANGES:
            tries.append(await self._try(door, door.who, "422 IDEMPOTENCY_KEY_MISSING", keyed=False))
        tries.append(await self._try(door, door.who, r"20\d"))
        return tries

    def _refused(self, door: Door, permission: Mapping[str, Any]) -> list[tuple[Who | None, str]]:
        """Give those who may not: the one who may with one thing wrong, and those of whom another kind is asked."""

        def almost(name: str, **wrong: Any) -> Who:
            return Who(name, self._issuer.altered(door.who.token, **wrong), door.who.post)

        service, token = self._service, self._issuer.token
        callers = set(permission["callers"])
        officer = "403 PERMISSION_MISSING" if "officer" in callers else "403 CALLER_NOT_ALLOWED"
        machine = "403 PERMISSION_MISSING" if "service" in callers else "403 CALLER_NOT_ALLOWED"
        refused: list[tuple[Who | None, str]] = [
            (None, "401 TOKEN_MISSING"),
            (almost("token for another service", aud="another"), "401 TOKEN_AUDIENCE"),
            (almost("token for the account console", aud="account"), "401 TOKEN_AUDIENCE"),
            (almost("token of an unknown client", azp="stranger"), "401 TOKEN_CLIENT"),
            (almost("identity token", typ="ID"), "401 TOKEN_TYPE"),
            (almost("expired token", iat=1, exp=2), "401 TOKEN_EXPIRED"),
            (Who("signed-up nobody", token("citizen", aud=service)), "403 CALLER_UNKNOWN"),
            (Who("person of the wrong realm", token("gov", person_id=_NOBODY, aud=service)), "403 CALLER_UNKNOWN"),
            (Who("employee of the wrong realm", token("citizen", employee_id="e", aud=service)), "403 CALLER_UNKNOWN"),
            (Who("service without the role", token("gov", service="workbench", aud=service)), machine),
            (self._powerless, officer),
        ]
        if "citizen" not in callers:
            citizen = Who("citizen", token("citizen", person_id=_NOBODY, aud=service, acr=3))
            refused.append((citizen, "403 CALLER_NOT_ALLOWED"))
        if permission["acr"] > 1 and door.who.is_person:
            refused.append((almost("weaker log-in", acr=str(permission["acr"] - 1)), "401 STEP_UP_NEEDED"))
        if "max_age" in permission and door.who.is_person:
            long_ago = int(time.time()) - permission["max_age"] - 10
            refused.append((almost("log-in of long ago", auth_time=long_ago), "401 STEP_UP_NEEDED"))
            refused.append((almost("log-in of unknown age", auth_time=None), "401 STEP_UP_NEEDED"))
        return refused

    async def _try(self, door: Door, who: Who | None, expected: str, *, keyed: bool = True) -> Knock:
        path, body = await door.given() if door.given else (door.path, door.body)
        headers = dict(door.headers)
        if who is not None:
            headers["Authorization"] = f"Bearer {who.token}"
            if who.post:
                headers["X-Post"] = who.post
        name = who.name if who else "nobody"
        if keyed and door.method in CHANGES:
            headers["Idempotency-Key"] = f"matrix {door.method} {path} {name}".encode().hex()[:190]
        answer = await self._http.request(door.method, path, json=body, headers=headers)
        problem = "problem" in answer.headers.get("content-type", "")
        shown = name if keyed else f"{name}, without a key"
        reason = answer.json()["reason"] if problem else ""
        return Knock(f"{door.method} {door.path}", shown, expected, answer.status_code, reason)


def _operation(operations: Mapping[str, object], door: Door) -> str:
    path = door.path.split("?")[0]
    found = [name for name in operations if re.fullmatch(_pattern(name), f"{door.method} {path}")]
    # `/v1/x/{id}` also reads `/v1/x/7:close` as an id: the more literal operation is meant.
    return max(found, key=lambda name: len(re.sub(r"\{[^}]+\}", "", name)), default="")


def _pattern(name: str) -> str:
    return "".join("[^/]+" if part.startswith("{") else re.escape(part) for part in re.split(r"(\{[^}]+\})", name))
