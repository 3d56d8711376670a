"""The verbs of the front door: begin and finish a log-in, keep a session's tokens fresh, log out."""

import asyncio
import hmac
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from common.auth import Verifier
from common.errors import Refusal, StepUpNeeded

from gateway.domain import (
    Face,
    IssuerMismatch,
    KeycloakAway,
    Limit,
    LogInOfAnotherBrowser,
    LogInRefused,
    LogInStateUnknown,
    LogInTooOld,
    LogInTooWeak,
    LogoutTokenRefused,
    NoSuchSession,
    SessionMissing,
    StepUpByAnother,
    coarse,
    device,
    return_address,
    wanted_acr,
    wanted_max_age,
)
from gateway.journal import Journal
from gateway.limits import Allowance, Limits
from gateway.openapi import Documents
from gateway.proxy import Proxy
from gateway.sessions import FAILED, RENEWAL_LASTS, LogIn, Seen, Session, Sessions, digest, secret
from gateway.tokens import LEEWAY, GrantGone, Identity, Keycloak

POLL = 0.05
# a token this close to its end may not arrive in time
HARDLY_VALID = 5.0
HANDLE_LENGTH = 22
# whoever ends other log-ins has just proven who he or she is
PROVEN_LATELY = timedelta(minutes=15)
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


@dataclass(frozen=True, slots=True)
class Whence:
    """Where a call comes from."""

    address: str
    user_agent: str


async def begin_log_in(
    app: App,
    face: Face,
    *,
    return_to: str | None,
    acr: str | None,
    browser: str,
    max_age: str | None = None,
    session: Session | None = None,
    action: str | None = None,
) -> str:
    """Remember what is begun and for which browser; give Keycloak's address. With a session it is a step-up."""
    log_in = LogIn(
        face=face.name,
        nonce=secret(),
        verifier=secret(),
        browser=digest(browser),
        return_to=return_address(face, return_to),
        acr=wanted_acr(face, acr),
        sub=session.sub if session else None,
        max_age=wanted_max_age(max_age),
        action=action,
    )
    state = await app.sessions.begin_log_in(log_in)
    return app.keycloak.log_in_url(face, state, log_in)


async def finish_log_in(
    app: App, face: Face, answer: Mapping[str, str], *, browser: str | None, session_id: str | None, whence: Whence
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
    now = app.clock().timestamp()
    check_identity(identity, log_in, now)
    # an id that was known before the log-in opens nothing after it
    before = await app.sessions.end(session_id) if session_id is not None else None
    began, ends = now, now + app.rules.absolute.total_seconds()
    if log_in.sub is not None and before is not None and before.sub == identity.sub:
        # a step-up makes the session stronger, not longer
        began, ends = before.began, before.ends
    session = Session(
        face=face.name,
        realm=face.realm,
        sub=identity.sub,
        sid=identity.sid,
        person_id=identity.person_id,
        acr=identity.acr,
        began=began,
        ends=ends,
        proven=identity.proven,
        handle=secret()[:HANDLE_LENGTH],
        device=device(whence.user_agent),
        network=coarse(whence.address),
        tokens=tokens,
    )
    fresh_id = await app.sessions.begin(session, app.journal.log_in(whence.address))
    return fresh_id, log_in.return_to


def check_identity(identity: Identity, log_in: LogIn, now: float) -> None:
    """Keycloak was asked for a level and an age; what counts is what it answers."""
    if identity.acr < log_in.acr:
        raise LogInTooWeak(acr=log_in.acr)
    if log_in.max_age is not None and now - identity.proven > log_in.max_age + LEEWAY:
        raise LogInTooOld(max_age=log_in.max_age)
    if log_in.sub is not None and log_in.sub != identity.sub:
        raise StepUpByAnother
    if not identity.person_id:
        raise LogInRefused


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
    session = await app.sessions.end(session_id, app.journal.log_out("own"))
    if session is None:
        return f"{app.public_url}{face.home}"
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
    await app.sessions.end_all(said.realm, app.journal.log_out("elsewhere"), sid=said.sid, sub=said.sub)
    if said.sid and said.sub:
        # "log out everywhere" also names just one session: whether the person's others still live, Keycloak knows
        await app.sessions.doubt(said.realm, said.sub)


async def end_one(app: App, session: Session, handle: str) -> bool:
    """End one of the person's sessions, here and at Keycloak; tell whether it was this one."""
    _check_proven(app, session)
    for seen in await app.sessions.all_of(session.realm, session.sub):
        if seen.session.handle == handle:
            await _end_from_afar(app, seen)
            return handle == session.handle
    raise NoSuchSession


async def end_others(app: App, session: Session) -> int:
    """End all of the person's sessions but this one."""
    _check_proven(app, session)
    others = [
        seen for seen in await app.sessions.all_of(session.realm, session.sub) if seen.session.handle != session.handle
    ]
    for seen in others:
        await _end_from_afar(app, seen)
    return len(others)


def _check_proven(app: App, session: Session) -> None:
    """Whoever finds a browser open shows its owner out nowhere else (ASVS 7.5.2)."""
    if app.clock().timestamp() - session.proven > PROVEN_LATELY.total_seconds():
        raise StepUpNeeded(acr=session.acr, max_age=int(PROVEN_LATELY.total_seconds()))


async def _end_from_afar(app: App, seen: Seen) -> None:
    ended = await app.sessions.end_seen(seen, app.journal.log_out("remote"))
    if ended is None:
        return
    # away, it keeps its own session until that is idle; ours has ended
    with suppress(KeycloakAway):
        await app.keycloak.end(ended.realm, ended.tokens.refresh)


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
        await app.sessions.end(session_id, app.journal.log_out("expired"))
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
