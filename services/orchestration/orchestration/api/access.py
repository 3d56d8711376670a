"""Who may use which verb, and what every route takes."""

from math import isfinite
from typing import Annotated, Any

from common import paging
from common.auth import Actor
from common.permissions import Caller, CallerNotAllowed, Permission
from common.web import May, app_of, may
from fastapi import Depends, Header, Path, Query, Request
from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from orchestration.store.agents import Agent
from orchestration.usecases import App

_CITIZEN = frozenset({Caller.CITIZEN})
_OFFICER = frozenset({Caller.OFFICER})
_ANYONE = frozenset(Caller)

_UUID = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"


class MayFor(May):
    """Guards a route that a citizen may also take for a legal person, whose id `X-On-Behalf` names."""

    async def __call__(
        self, request: Request, on_behalf: Annotated[str | None, Header(alias="X-On-Behalf", pattern=_UUID)] = None
    ) -> Actor:
        """Give the actor, who acts for the legal person as accounts knows it at this moment, or refuse."""
        actor = await super().__call__(request)
        if on_behalf is None:
            return actor
        if actor.kind is not Caller.CITIZEN:
            raise CallerNotAllowed(permission=self.permission.name, caller=actor.kind.value)
        app: App = await app_of(request)
        return Agent.of(actor, await app.outside.accounts.agency(actor, on_behalf))


AppDep = Annotated[App, Depends(app_of)]

MayPublish = Annotated[
    Actor,
    may(Permission("orchestration:publish_matter", frozenset({Caller.OFFICER, Caller.SERVICE}), acr=2, max_age=1800)),
]
MayReadMatter = Annotated[Actor, may(Permission("orchestration:read_matter", _ANYONE))]
MayFile = Annotated[Actor, Depends(MayFor(Permission("orchestration:file_matter", _CITIZEN)))]
MayReadFiling = Annotated[Actor, Depends(MayFor(Permission("orchestration:read_filing", _CITIZEN)))]
MayReadCase = Annotated[Actor, may(Permission("orchestration:read_case", _OFFICER))]
MayAccept = Annotated[Actor, may(Permission("orchestration:accept_case", _OFFICER, acr=2))]
MayDeliver = Annotated[Actor, may(Permission("orchestration:deliver_case", _OFFICER, acr=2))]
MayDecide = Annotated[Actor, may(Permission("orchestration:decide_case", _OFFICER, acr=2))]
MayExtend = Annotated[Actor, may(Permission("orchestration:approve_extension", _OFFICER, acr=2))]
MayOperate = Annotated[Actor, may(Permission("orchestration:operate", _OFFICER))]
MayResolve = Annotated[Actor, may(Permission("orchestration:operate", _OFFICER, acr=2))]
MayReadDocument = Annotated[Actor, Depends(MayFor(Permission("orchestration:read_document", _CITIZEN | _OFFICER)))]
MayCheckDocument = Annotated[Actor, may(Permission("orchestration:check_document", _CITIZEN))]

Id = Annotated[str, Path(pattern=_UUID)]
Code = Annotated[str, Path(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
PageSize = Annotated[int, Query(ge=1, le=paging.MAX_SIZE)]
CursorText = Annotated[str | None, Query(alias="cursor", max_length=500)]

_DEEPEST = 12
_LARGEST = 2**53


def _plain(value: Any, depth: int = 0) -> Any:
    if depth > _DEEPEST:
        raise PydanticCustomError("too_deep", "nested too deep")
    match value:
        case dict():
            for inner in value.values():
                _plain(inner, depth + 1)
        case list():
            for inner in value:
                _plain(inner, depth + 1)
        case int() | float() if abs(value) > _LARGEST or not isfinite(value):
            raise PydanticCustomError("number_size", "number out of range")
    return value


# Free JSON, as forms are until their schema is known, within what every reader of JSON can take.
JsonObject = Annotated[dict[str, Any], AfterValidator(_plain)]
