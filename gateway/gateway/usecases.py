"""The verbs of the front door: begin and finish a log-in, keep a session's tokens fresh, log out."""

import asyncio
import hmac
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from common.auth import Verifier
from common.errors import Refusal

from gateway.domain import (
    Face,
    IssuerMismatch,
    KeycloakAway,
    Limit,
    LogInOfAnotherBrowser,
    LogInRefused,
    LogInStateUnknown,
    LogInTooWeak,
    LogoutTokenRefused,
    SessionMissing,
    return_address,
    wanted_acr,
)
from gateway.journal import Journal
from gateway.limits import Allowance, Limits
from gateway.openapi import Documents
from gateway.proxy import Proxy
from gateway.sessions import FAILED, RENEWAL_LASTS, LogIn, Session, Sessions, digest, secret
from gateway.tokens import GrantGone, Keycloak

POLL = 0.05
# a token this close to its end may not arrive in time
HARDLY_VALID = 5.0
LOGOUT_TOKEN_REMEMBERED = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Rules:
    """What the settings say about sessions and callers."""

    absolute: timedelta
    renew_ahead: timedelta
    person: Limit
    service: Limit
    anonymous: Limit
    trusted_hops: int


@dataclass(frozen=True, slots=True)
class App:
    """All that the doors need."""

    public_url: str
    rules: Rules
    clock: Callable[[], datetime]
    sessions: Sessions
    keycloak: Keycloak
    limits: Limits
    journal: Journal
    proxy: Proxy
    documents: Documents
    verifiers: Mapping[str, Verifier]
    renewals: set[asyncio.Task[Session]] = field(default_factory=set)

    @property
    def origin(self) -> str:
        parts = urlsplit(self.public_url)
        return f"{parts.scheme}://{parts.netloc}"


async def begin_log_in(app: App, face: Face, *, return_to: str | None, acr: str | None, browser: str) -> str:
    """Remember what is begun and for which browser; give Keycloak's address."""
    log_in = LogIn(
        face=face.name,
        nonce=secret(),
        verifier=secret(),
        browser=digest(browser),
        return_to=return_address(face, return_to),
        acr=wanted_acr(face, acr),
    )
    state = await app.sessions.begin_log_in(log_in)
    return app.keycloak.log_in_url(face, state, log_in)


async def finish_log_in(
    app: App, face: Face, answer: Mapping[str, str], *, browser: str | None, session_id: str | None, address: str
) -> tuple[str, str]:
    """Make a session of what Keycloak brought back; give its id and where to go."""
    log_in = await app.sessions.take_log_in(answer.get("state", ""))
    if log_in is None or log_in.face != face.name:
        raise LogInStateUnknown
    if browser is None or not hmac.compare_digest(log_in.browser, digest(browser)):
        raise LogInOfAnotherBrowser
    if answer.get("iss") != app.keycloak.issuer(face.realm):
        raise IssuerMismatch
    if "code" not in answer:
        raise LogInRefused
    identity, tokens = await app.keycloak.exchange(face, answer["code"], log_in)
    if identity.acr < log_in.acr:
        raise LogInTooWeak(acr=log_in.acr)
    if not identity.person_id:
        raise LogInRefused
    if session_id is not None:
        await app.sessions.end(session_id)
    began = app.clock().timestamp()
    session = Session(
        face=face.name,
        realm=face.realm,
        sub=identity.sub,
        sid=identity.sid,
        person_id=identity.person_id,
        acr=identity.acr,
        began=began,
        ends=began + app.rules.absolute.total_seconds(),
        tokens=tokens,
    )
    fresh_id = await app.sessions.begin(session)
    app.journal.logged_in(session, address)
    return fresh_id, log_in.return_to


async def use_session(app: App, face: Face, session_id: str | None) -> tuple[Session, Allowance]:
    used = await app.sessions.use(face, session_id, app.rules.person) if session_id else None
    if used is None:
        raise SessionMissing
    return used


async def with_fresh_tokens(app: App, face: Face, session_id: str, session: Session) -> Session:
    """The session with a token that is good for a while; one call renews it, for all processes."""
    if _left(app, session) > app.rules.renew_ahead.total_seconds():
        return session
    usable = _left(app, session) > HARDLY_VALID
    holder = await app.sessions.start_renewal(session_id)
    if holder is None:
        return session if usable else await _wait_for_renewal(app, face, session_id)
    try:
        return await _unbroken(app, _renew(app, face, session_id, holder))
    except KeycloakAway:
        if usable:
            return session
        raise


async def log_out(app: App, face: Face, session_id: str) -> str:
    """End the session here and at Keycloak; give the address to go to."""
    session = await app.sessions.end(session_id)
    if session is None:
        return f"{app.public_url}{face.home}"
    app.journal.logged_out(session, "own")
    try:
        await app.keycloak.end(session.realm, session.tokens.refresh)
    except KeycloakAway:
        return app.keycloak.log_out_url(face)
    return f"{app.public_url}{face.home}"


async def log_out_elsewhere(app: App, face: Face, token: str) -> None:
    """Somebody logged out at another client, or was logged out: end the sessions here too (back-channel)."""
    said = await app.keycloak.read_logout_token(face, token)
    if not await app.sessions.first_seen(f"logout:{said.jti}", LOGOUT_TOKEN_REMEMBERED):
        raise LogoutTokenRefused
    for session in await app.sessions.end_all(said.realm, sid=said.sid, sub=said.sub):
        app.journal.logged_out(session, "elsewhere")


def moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


async def _renew(app: App, face: Face, session_id: str, holder: str) -> Session:
    failed = False
    try:
        # the one before us may have renewed it between our look and our turn
        session = await _read(app, face, session_id)
        if _left(app, session) > app.rules.renew_ahead.total_seconds():
            return session
        tokens = await app.keycloak.renew(session.realm, session.tokens.refresh)
        return await app.sessions.renew(session_id, session, tokens)
    except GrantGone:
        if ended := await app.sessions.end(session_id):
            app.journal.logged_out(ended, "expired")
        raise SessionMissing from None
    except Refusal as refusal:
        failed = not isinstance(refusal, SessionMissing)
        raise
    finally:
        await app.sessions.finish_renewal(session_id, holder, failed=failed)


async def _unbroken(app: App, work: Coroutine[Any, Any, Session]) -> Session:
    """Go on even if the caller leaves: a refresh token serves once, and what it brought must be kept."""
    task = asyncio.create_task(work)
    app.renewals.add(task)
    task.add_done_callback(app.renewals.discard)
    return await asyncio.shield(task)


async def _wait_for_renewal(app: App, face: Face, session_id: str) -> Session:
    try:
        async with asyncio.timeout(RENEWAL_LASTS.total_seconds()):
            while True:
                at_it = await app.sessions.renewal(session_id)
                session = await _read(app, face, session_id)
                if _left(app, session) > HARDLY_VALID:
                    return session
                if at_it == FAILED:
                    raise KeycloakAway
                if at_it is None:
                    return await with_fresh_tokens(app, face, session_id, session)
                await asyncio.sleep(POLL)
    except TimeoutError as error:
        raise KeycloakAway from error


async def _read(app: App, face: Face, session_id: str) -> Session:
    session = await app.sessions.read(face, session_id)
    if session is None:
        raise SessionMissing
    return session


def _left(app: App, session: Session) -> float:
    return session.tokens.access_until - app.clock().timestamp()
