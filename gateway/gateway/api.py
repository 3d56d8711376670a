"""The routes: faces and their log-in, services behind a session or a token, and what the house says of itself."""

import re
from collections.abc import Awaitable, Callable
from urllib.parse import parse_qs

import orjson
from common import telemetry
from common.auth import Claims
from common.config import Sentences
from common.errors import Refusal
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from gateway import domain, pages, usecases
from gateway.domain import (
    FACES,
    SAFE_METHODS,
    BearerMissing,
    BodyTooLarge,
    CsrfHeaderMissing,
    Destination,
    Face,
    ForeignOrigin,
    MethodNotAllowed,
    NoSuchPath,
    NoSuchService,
    SessionMissing,
)
from gateway.door import PAGE_POLICY, Door, Request
from gateway.proxy import Call
from gateway.sessions import Session, secret
from gateway.usecases import App, Whence

# asked by the operator's own machines
INNER = {"/readyz", "/metrics"}
LOGOUT_TOKEN_LIMIT = 16 * 1024
LOG_IN_COOKIE_LASTS = 600
END_SESSION = re.compile(rf"sessions/[A-Za-z0-9_-]{{{usecases.HANDLE_LENGTH}}}:end")

type Handler = Callable[[Request, Face], Awaitable[Response]]


class Api:
    """Finds the route of a request and answers it, or lets it through to a service."""

    def __init__(self, app: App, sentences: Sentences) -> None:
        self.app = app
        self.sentences = sentences
        self.door = Door(
            self.route, sentences, trusted_hops=app.rules.trusted_hops, https=app.origin.startswith("https:")
        )
        self._auth: dict[str, tuple[str, str, Handler]] = {
            "login": ("log_in", "GET", self._log_in),
            "callback": ("finish_log_in", "GET", self._finish_log_in),
            "session": ("session", "GET", self._session),
            "logout": ("log_out", "POST", self._log_out),
            "step-up": ("step_up", "GET", self._step_up),
            "password": ("change_password", "GET", self._change_password),
            "sessions": ("sessions", "GET", self._sessions),
            "sessions:end-others": ("end_other_sessions", "POST", self._end_others),
            "sessions/{handle}:end": ("end_session", "POST", self._end_session),
            "backchannel-logout": ("log_out_elsewhere", "POST", self._log_out_elsewhere),
        }
        self._own: dict[str, Callable[[Request], Awaitable[Response]]] = {
            "/": self._index,
            "/healthz": self._healthz,
            "/readyz": self._readyz,
            "/metrics": self._metrics,
            "/openapi.json": self._openapi,
            "/docs": self._docs,
            "/pages/style.css": self._file,
            "/pages/face.js": self._file,
        }

    async def route(self, request: Request) -> Response | None:
        path = request.path
        own = self._own.get(path)
        if own and not (path in INNER and self._from_outside(request)):
            request.verb = own.__name__.removeprefix("_")
            if request.method not in SAFE_METHODS:
                raise MethodNotAllowed
            return await own(request)
        first, _, rest = path[1:].partition("/")
        if first == "api" or (first in FACES and rest.startswith("api/")):
            return await self._to_service(request)
        if face := FACES.get(first):
            if rest.startswith("auth/"):
                return await self._to_auth(request, face, rest.removeprefix("auth/"))
            return await self._page(request, face)
        await self._limit_stranger(request)
        raise NoSuchPath

    def _from_outside(self, request: Request) -> bool:
        """Say whether it came through the edge: the operator's own probes do not."""
        return self.app.rules.trusted_hops > 0 and any(name == b"x-forwarded-for" for name, _ in request.headers)

    # services

    async def _to_service(self, request: Request) -> Response | None:
        destination = domain.destination(request.path)
        if destination.service not in self.app.proxy.services:
            await self._limit_stranger(request)
            raise NoSuchService
        request.verb = f"to_{destination.service}"
        if destination.face is None:
            token, ends = await self._by_bearer(request, destination)
        else:
            try:
                token, ends = await self._by_session(request, destination.face)
            except SessionMissing as refusal:
                return self._log_in_needed(refusal, request, destination.face)
        call = Call(
            method=request.method,
            destination=destination,
            query=request.query_string,
            headers=request.headers,
            receive=request.receive,
            token=token,
            traceparent=telemetry.traceparent(),
            ends_in=max(1.0, ends - self.app.clock().timestamp()),
        )
        await self.app.proxy.carry(call, request.send)
        return None

    async def _by_session(self, request: Request, face: Face) -> tuple[str, float]:
        if request.method in SAFE_METHODS and request.header(b"sec-fetch-site") == "cross-site":
            # some reads do something (a decision that is opened is delivered): another site's link must not do it
            await self._limit_stranger(request)
            raise ForeignOrigin
        session_id, session = await self._find_session(request, face)
        session = await usecases.with_fresh_tokens(self.app, face, session_id, session)
        return session.tokens.access, session.tokens.access_until

    async def _by_bearer(self, request: Request, destination: Destination) -> tuple[str, float]:
        try:
            token = _bearer(request)
            claims = await self.app.verifiers[destination.service].verify(token)
        except Refusal as refusal:
            await self._limit_stranger(request)
            await self.app.journal.refuse(refusal, f"api.{destination.service}", request.address)
            raise
        person = claims.person_id or claims.employee_id
        request.caller = person or claims.client
        limit = self.app.rules.person if person else self.app.rules.service
        request.allowance = await self.app.limits.take(_caller(claims), limit)
        return token, claims.expires_at

    async def _find_session(self, request: Request, face: Face) -> tuple[str, Session]:
        await self._check_own_page(request, face)
        session_id = request.cookie(face.cookie)
        try:
            session, request.allowance = await usecases.use_session(self.app, face, session_id)
        except SessionMissing:
            await self._limit_stranger(request)
            raise
        request.caller = session.person_id
        return session_id or "", session

    async def _check_own_page(self, request: Request, face: Face) -> None:
        if request.method in SAFE_METHODS:
            return
        try:
            domain.check_own_page(
                self.app.origin,
                csrf=request.header(b"x-tongban-csrf"),
                origin=request.header(b"origin"),
                fetch_site=request.header(b"sec-fetch-site"),
            )
        except (CsrfHeaderMissing, ForeignOrigin) as refusal:
            await self._limit_stranger(request)
            await self.app.journal.refuse(refusal, f"{face.name}.{request.verb}", request.address)
            raise

    async def _limit_stranger(self, request: Request) -> None:
        request.allowance = await self.app.limits.take(f"address:{request.address}", self.app.rules.anonymous)

    # faces

    async def _to_auth(self, request: Request, face: Face, name: str) -> Response:
        known = self._auth.get("sessions/{handle}:end" if END_SESSION.fullmatch(name) else name)
        if known is None:
            await self._limit_stranger(request)
            raise NoSuchPath
        request.verb, method, handler = known
        if request.method != method:
            raise MethodNotAllowed
        try:
            return await handler(request, face)
        except SessionMissing as refusal:
            return self._log_in_needed(refusal, request, face)

    async def _log_in(self, request: Request, face: Face) -> Response:
        return await self._begin(request, face, None)

    async def _step_up(self, request: Request, face: Face) -> Response:
        """A person is sent here when an act needs a stronger or fresher log-in, and comes back to the act."""
        try:
            _, session = await self._find_session(request, face)
        except SessionMissing:
            return await self._begin(request, face, None)
        return await self._begin(request, face, session)

    async def _change_password(self, request: Request, face: Face) -> Response:
        """A person gives the old password and a new one at Keycloak's pages, and comes back."""
        try:
            _, session = await self._find_session(request, face)
        except SessionMissing:
            return await self._begin(request, face, None)
        return await self._begin(request, face, session, "UPDATE_PASSWORD")

    async def _begin(
        self, request: Request, face: Face, session: Session | None, action: str | None = None
    ) -> Response:
        query = request.query
        # one secret for all tabs of a browser: several may log in at once
        browser = request.cookie(face.log_in_cookie) or secret()
        try:
            await self._limit_stranger(request)
            address = await usecases.begin_log_in(
                self.app,
                face,
                return_to=query.get("return_to"),
                acr=query.get("acr"),
                max_age=query.get("max_age"),
                browser=browser,
                session=session,
                action=action,
            )
        except Refusal as refusal:
            return self._notice(refusal, request, face)
        request.more.append(_cookie(face.log_in_cookie, browser, LOG_IN_COOKIE_LASTS))
        return RedirectResponse(address, 302)

    async def _finish_log_in(self, request: Request, face: Face) -> Response:
        try:
            await self._limit_stranger(request)
            session_id, return_to = await usecases.finish_log_in(
                self.app,
                face,
                request.query,
                browser=request.cookie(face.log_in_cookie),
                session_id=request.cookie(face.cookie),
                whence=Whence(request.address, request.header(b"user-agent") or ""),
            )
        except Refusal as refusal:
            await self.app.journal.refuse(refusal, f"{face.name}.log_in", request.address)
            return self._notice(refusal, request, face)
        request.more.append(_cookie(face.cookie, session_id))
        return RedirectResponse(return_to, 302)

    async def _session(self, request: Request, face: Face) -> Response:
        _, session = await self._find_session(request, face)
        return _json(
            {
                "face": session.face,
                "person_id": session.person_id,
                "acr": session.acr,
                "began_at": usecases.moment(session.began),
                "ends_at": usecases.moment(session.ends),
                "proven_at": usecases.moment(session.proven),
            }
        )

    async def _sessions(self, request: Request, face: Face) -> Response:
        _, current = await self._find_session(request, face)
        listed = [
            {
                "handle": seen.session.handle,
                "browser": seen.session.device.browser,
                "system": seen.session.device.system,
                "network": seen.session.network,
                "acr": seen.session.acr,
                "began_at": usecases.moment(seen.session.began),
                "last_seen_at": usecases.moment(seen.last_seen),
                "current": seen.session.handle == current.handle,
            }
            for seen in await self.app.sessions.all_of(current.realm, current.sub)
        ]
        return _json({"items": listed})

    async def _end_session(self, request: Request, face: Face) -> Response:
        _, current = await self._find_session(request, face)
        handle = request.path.rpartition("/")[2].removesuffix(":end")
        if await usecases.end_one(self.app, current, handle):
            request.more.append(_cookie(face.cookie, "", 0))
        return Response(status_code=204)

    async def _end_others(self, request: Request, face: Face) -> Response:
        _, current = await self._find_session(request, face)
        return _json({"ended": await usecases.end_others(self.app, current)})

    async def _log_out(self, request: Request, face: Face) -> Response:
        session_id, _ = await self._find_session(request, face)
        address = await usecases.log_out(self.app, face, session_id)
        request.more += [_cookie(face.cookie, "", 0), (b"clear-site-data", b'"storage"')]
        return _json({"logout_url": address})

    async def _log_out_elsewhere(self, request: Request, face: Face) -> Response:
        try:
            form = parse_qs((await _small_body(request)).decode("latin-1"), max_num_fields=8)
            await usecases.log_out_elsewhere(self.app, face, form.get("logout_token", [""])[0])
        except (Refusal, ValueError) as error:
            request.reason = getattr(error, "reason", "LOGOUT_TOKEN_REFUSED")
            return _json({"error": "invalid_request"}, 400)
        return Response(status_code=200)

    async def _page(self, request: Request, face: Face) -> Response:
        request.verb = f"{face.name}_page"
        if request.method not in SAFE_METHODS:
            raise MethodNotAllowed
        if request.path == face.home[:-1]:
            return RedirectResponse(face.home, 308)
        return _shown(pages.read(f"{face.name}.html"))

    def _log_in_needed(self, refusal: Refusal, request: Request, face: Face) -> Response:
        return self.door.refusal(refusal, request, login_url=f"/{face.name}/auth/login")

    def _notice(self, refusal: Refusal, request: Request, face: Face) -> Response:
        """Say it to a person, who came here by a link."""
        said = self.door.refusal(refusal, request)
        page, kind = pages.notice(
            sentence=self.sentences.say(refusal),
            reason=refusal.reason,
            trace_id=telemetry.trace_id(),
            link=f"/{face.name}/auth/login",
        )
        shown = _shown((page, kind), said.status_code)
        if "Retry-After" in said.headers:
            shown.headers["Retry-After"] = said.headers["Retry-After"]
        return shown

    # the house itself

    async def _index(self, _request: Request) -> Response:
        return _shown(pages.read("index.html"))

    async def _file(self, request: Request) -> Response:
        return _shown(pages.read(request.path.removeprefix("/pages/")))

    async def _healthz(self, _request: Request) -> Response:
        return PlainTextResponse("ok")

    async def _readyz(self, _request: Request) -> Response:
        report = await self.door.state.readiness.report()
        return _json(report, 200 if report["ready"] else 503)

    async def _metrics(self, _request: Request) -> Response:
        body, kind = telemetry.exposition()
        return Response(body, headers={"Content-Type": kind})

    async def _openapi(self, request: Request) -> Response:
        await self._limit_stranger(request)
        return Response(await self.app.documents.merged(), media_type="application/json")

    async def _docs(self, request: Request) -> Response:
        await self._limit_stranger(request)
        return _shown(pages.docs(orjson.loads(await self.app.documents.merged())))


def _bearer(request: Request) -> str:
    scheme, _, token = (request.header(b"authorization") or "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise BearerMissing
    return token.strip()


def _caller(claims: Claims) -> str:
    return f"{claims.realm}:{claims.subject}"


def _cookie(name: str, value: str, lasts: int | None = None) -> tuple[bytes, bytes]:
    age = "" if lasts is None else f"; Max-Age={lasts}"
    return b"set-cookie", f"{name}={value}; Path=/; Secure; HttpOnly; SameSite=Lax{age}".encode("ascii")


async def _small_body(request: Request) -> bytes:
    body = b""
    more = True
    while more:
        message = await request.receive()
        body += message.get("body", b"")
        if len(body) > LOGOUT_TOKEN_LIMIT:
            raise BodyTooLarge(limit=LOGOUT_TOKEN_LIMIT)
        more = message.get("more_body", False)
    return body


def _json(content: object, status: int = 200) -> Response:
    return Response(orjson.dumps(content), status, media_type="application/json")


def _shown(page: pages.Page, status: int = 200) -> Response:
    body, kind = page
    headers = {"Content-Type": kind, "Content-Security-Policy": PAGE_POLICY.decode()}
    return Response(body, status, headers=headers)
