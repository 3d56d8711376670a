"""The HTTP door: who may, problem+json for every no, health, metrics and the OpenAPI document."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from pydantic import BaseModel, ConfigDict, StringConstraints
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.responses import PlainTextResponse
from starlette.routing import BaseRoute, Route

from common import config, journal, telemetry
from common.auth import Actor, Authenticator, Call, TokenMissing
from common.config import Sentences
from common.errors import Invalid, Refusal
from common.idempotency import Replayed
from common.permissions import Permission, check
from common.web import problem
from common.web.door import ACTOR, HASH, REASON, Door, Readiness

__all__ = ["Body", "LongText", "Readiness", "Text", "app_of", "application", "may"]

_BODY_LIMIT = 1 << 20
_CHANGES = {"POST", "PUT", "PATCH", "DELETE"}
_KEY = re.compile(r"[\x21-\x7e]{1,200}")
_POST_ID = re.compile(r"[0-9A-Za-z_-]{1,64}")
_built: dict[tuple[int, ...], APIRouter] = {}  # by whose routes they are, which they keep
# no control characters, and none that show a text in another order than it is read, or break a line unseen
_PRINTABLE = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff]*$"

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=_PRINTABLE)]
LongText = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000, pattern=_PRINTABLE)]


class Body(BaseModel):
    """A request's body: what it does not name is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class IdempotencyKeyMissing(Invalid):
    """A call that changes something needs an Idempotency-Key."""


class IdempotencyKeyInvalid(Invalid):
    """The Idempotency-Key is not 1 to 200 printable ASCII characters."""


class PostInvalid(Invalid):
    """X-Post is not a post's id."""


class May:
    """The one dependency of a route: who calls, and whether the verb is open to them."""

    def __init__(self, permission: Permission) -> None:
        self.permission = permission

    async def __call__(self, request: Request) -> Actor:
        """Give the actor, or refuse."""
        state = request.app.state
        headers = request.headers
        token = headers.get("authorization", "")
        if token[:7].lower() != "bearer " or not token[7:].strip():
            raise TokenMissing
        call = Call(
            route=f"{state.service}.{request.scope['route'].name}",
            idempotency_key=_idempotency_key(request),
            request_hash=request.scope.get(HASH),
            purpose=journal.purpose_of(headers.get("x-purpose")),
            trace_id=telemetry.trace_id(),
        )
        post_id = headers.get("x-post") or None
        if post_id is not None and not _POST_ID.fullmatch(post_id):
            raise PostInvalid
        actor: Actor = await state.authenticator.actor(token[7:].strip(), post_id, call)
        request.scope[ACTOR] = actor
        check(actor, self.permission)
        return actor


def may(permission: Permission) -> Any:
    """Guard a route: `MayDecide = Annotated[Actor, may(Permission("orchestration:decide_case", OFFICERS, acr=2))]`."""
    return Depends(May(permission))


async def app_of(request: Request) -> Any:
    """Give a route the service's App: `AppDep = Annotated[App, Depends(app_of)]`."""
    return request.app.state.app


def _idempotency_key(request: Request) -> str | None:
    key = request.headers.get("idempotency-key")
    if request.method not in _CHANGES:
        return None
    if not key:
        raise IdempotencyKeyMissing
    if not _KEY.fullmatch(key):
        raise IdempotencyKeyInvalid
    return key


def application(
    app: object, *, service: str, routers: Sequence[APIRouter], authenticator: Authenticator, locale: Path
) -> FastAPI:
    """Build the service's HTTP door. A route that does not say who may call it keeps the service from starting."""
    sentences = config.sentences(locale)
    sentences.require(service)
    api = FastAPI(
        title=service,
        version="1",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        separate_input_output_schemas=False,
    )
    api.state.app, api.state.service, api.state.authenticator = app, service, authenticator
    api.state.readiness = Readiness()
    routes = _routes(routers)
    permissions = _permissions(routes)
    api.router.routes.extend(routes)
    for path, endpoint in (("/healthz", _healthz), ("/readyz", _readyz), ("/metrics", _metrics)):
        api.router.routes.append(Route(path, endpoint))
    _answer_refusals(api, sentences)
    api.add_middleware(Door, service=service, sentences=sentences, limit=_BODY_LIMIT)
    plain = api.openapi
    api.openapi = lambda: _document(plain(), permissions)  # type: ignore[method-assign]
    return api


def _routes(routers: Sequence[APIRouter]) -> Sequence[BaseRoute]:
    """Build a service's routes once a process: each building makes every model's schema, and tests open many houses."""
    built = _built.setdefault(tuple(map(id, routers)), APIRouter(generate_unique_id_function=lambda route: route.name))
    if not built.routes:
        for router in routers:
            built.include_router(router)
    return built.routes


def _permissions(routes: Sequence[BaseRoute]) -> dict[tuple[str, str], Permission]:
    """Read every route's permission off its dependencies."""
    found: dict[tuple[str, str], Permission] = {}
    for route in iter_route_contexts(routes):
        guards = [each.call for each in route.dependant.dependencies if isinstance(each.call, May)]
        if len(guards) != 1:
            raise TypeError(f"{route.path} ({route.name}) must have exactly one may(...) in its signature")
        for method in route.methods or ():
            found[str(route.path_format), method.lower()] = guards[0].permission
    return found


def _answer_refusals(api: FastAPI, sentences: Sentences) -> None:
    @api.exception_handler(Refusal)
    async def refused(request: Request, error: Refusal) -> Response:
        request.scope[REASON] = error.reason
        return problem.of_refusal(error, sentences)

    @api.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        request.scope[REASON] = "REQUEST_INVALID"
        return problem.of_fields(error.errors(), sentences)

    @api.exception_handler(StarletteHTTPException)
    async def unrouted(request: Request, error: StarletteHTTPException) -> Response:
        known = {
            404: ("ROUTE_NOT_FOUND", "There is no such route"),
            405: ("METHOD_NOT_ALLOWED", "The route has no such method"),
        }
        reason, title_en = known.get(error.status_code, ("REQUEST_UNREADABLE", "The request cannot be read"))
        request.scope[REASON] = reason
        return problem.of_reason(error.status_code, reason, title_en, sentences, error.headers)

    @api.exception_handler(Replayed)
    async def replayed(request: Request, error: Replayed) -> Response:
        status = request.scope["route"].status_code or 200
        return Response(
            error.answer or b"", status, headers={"Idempotency-Replayed": "true"}, media_type="application/json"
        )


async def _healthz(_request: Request) -> Response:
    return PlainTextResponse("ok")


async def _readyz(request: Request) -> Response:
    report = await request.app.state.readiness.report()
    return Response(orjson.dumps(report), 200 if report["ready"] else 503, media_type="application/json")


async def _metrics(_request: Request) -> Response:
    body, kind = telemetry.exposition()
    return Response(body, headers={"Content-Type": kind})


def _document(document: dict[str, Any], permissions: Mapping[tuple[str, str], Permission]) -> dict[str, Any]:
    """Add to each operation who may call it, the headers it reads and how it says no."""
    parts = document.setdefault("components", {})
    parts.setdefault("schemas", {})["Problem"] = problem.SCHEMA
    for theirs in ("HTTPValidationError", "ValidationError"):
        parts["schemas"].pop(theirs, None)
    parts["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}}
    no = {"content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}}
    for (path, method), permission in permissions.items():
        operation = document["paths"].get(path, {}).get(method)
        if operation is None or "x-permission" in operation:
            continue
        callers = sorted(caller.value for caller in permission.callers)
        fresh = {} if permission.max_age is None else {"max_age": permission.max_age}
        operation["x-permission"] = {"name": permission.name, "callers": callers, "acr": permission.acr, **fresh}
        operation["security"] = [{"bearer": []}]
        operation["responses"].pop("422", None)
        operation["responses"]["default"] = {"description": "Refused", **no}
        headers = [_header("X-Post", required=False), _header("X-Purpose", required=False)]
        if method.upper() in _CHANGES:
            headers.append(_header("Idempotency-Key", required=True))
        operation["parameters"] = [*operation.get("parameters", ()), *headers]
    return document


def _header(name: str, *, required: bool) -> dict[str, Any]:
    return {"name": name, "in": "header", "required": required, "schema": {"type": "string"}}
