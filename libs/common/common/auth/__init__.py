"""From a bearer token to the actor: who calls, in which post, proven how strongly."""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol

from common.auth.own import ServiceToken
from common.auth.tokens import Claims, TokenMissing, Verifier
from common.errors import Denied, Unavailable
from common.permissions import Caller, Post

__all__ = [
    "Actor",
    "Authenticator",
    "CachedPosts",
    "CachedStanding",
    "Call",
    "CallerUnknown",
    "Claims",
    "PostResolver",
    "ServiceToken",
    "TokenMissing",
    "Verifier",
    "system",
]

_POSTS_LIVE = 30.0
_MOST_POSTS = 20_000
_ASK_AGAIN = 1.0
_BROWSERS_CLIENT = "gateway"  # what people log in through: a token of another client without a person is a service's


class CallerUnknown(Denied):
    """The token is sound but names neither a person, an employee nor a service."""


@dataclass(frozen=True, slots=True)
class Call:
    """What was called, as far as the journal and the idempotency row must know."""

    route: str
    idempotency_key: str | None = None
    request_hash: bytes | None = None
    purpose: str | None = None
    trace_id: str = ""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts. The id is the person's, the employee's or the service's own."""

    kind: Caller
    id: str
    token: str = field(repr=False)
    client: str
    session: str
    acr: int
    roles: frozenset[str]
    post: Post | None
    call: Call
    # seconds since the person last proved who he or she is
    proven_ago: float = math.inf


def system(name: str, *, route: str = "", trace_id: str = "") -> Actor:
    """Give the actor of jobs and consumers: the service itself, nobody asked."""
    return Actor(
        kind=Caller.SERVICE,
        id=name,
        token="",
        client=name,
        session="",
        acr=0,
        roles=frozenset(),
        post=None,
        call=Call(route=route or name, trace_id=trace_id),
    )


class PostResolver(Protocol):
    """Finds the post that an employee asks to act in, or the first when none is named; refuses one not held."""

    async def __call__(self, token: str, employee_id: str, post_id: str | None) -> Post: ...


class CachedPosts:
    """Remembers posts for half a minute, asks once for all who wait, and forgets an employee on request."""

    def __init__(self, fetch: PostResolver) -> None:
        self._fetch = fetch
        self._asked: dict[str, dict[str | None, tuple[asyncio.Task[Post], float]]] = {}

    async def __call__(self, token: str, employee_id: str, post_id: str | None) -> Post:
        if len(self._asked) > _MOST_POSTS:
            self._asked.clear()
        of_employee = self._asked.setdefault(employee_id, {})
        asked, until = of_employee.get(post_id, (None, 0.0))
        if asked is None or time.monotonic() >= until or (asked.done() and (asked.cancelled() or asked.exception())):
            asked = asyncio.create_task(_resolved(self._fetch(token, employee_id, post_id)))
            of_employee[post_id] = (asked, time.monotonic() + _POSTS_LIVE)
        return await asyncio.shield(asked)

    def drop(self, employee_id: str) -> None:
        """Forget what is known, and what is just being asked, of an employee."""
        self._asked.pop(employee_id, None)


async def _resolved(answer: Awaitable[Post]) -> Post:
    return await answer


class CachedStanding:
    """Remembers for half a minute that accounts lets a citizen in, and forgets a person on request."""

    def __init__(self, ask: Callable[[str], Awaitable[object]]) -> None:
        self._ask = ask
        self._known: dict[str, float] = {}
        self._drops = 0

    async def check(self, token: str, person_id: str) -> None:
        """Refuse whoever is suspended; while accounts is away, the token alone counts, as long as it lives."""
        if time.monotonic() < self._known.get(person_id, 0.0):
            return
        lives, drops = _POSTS_LIVE, self._drops
        try:
            await self._ask(token)
        except Unavailable:
            lives = _ASK_AGAIN
        if len(self._known) > _MOST_POSTS:
            self._known.clear()
        # an answer from before somebody was forgotten may be of how things were: it lets in once, and is not kept
        if drops == self._drops:
            self._known[person_id] = time.monotonic() + lives

    def drop(self, person_id: str) -> None:
        """Forget that a person was let in."""
        self._drops += 1
        self._known.pop(person_id, None)


class Authenticator:
    """Makes the actor of a call from its token and the post it names."""

    def __init__(self, verifier: Verifier, posts: PostResolver, standing: CachedStanding | None = None) -> None:
        self._verifier = verifier
        self._posts = posts
        self._standing = standing

    async def actor(self, token: str, post_id: str | None, call: Call) -> Actor:
        """Tell who calls, or refuse."""
        claims = await self._verifier.verify(token)
        post = None
        if claims.realm == "citizen" and claims.person_id:
            kind, name = Caller.CITIZEN, claims.person_id
            if self._standing is not None:
                await self._standing.check(token, name)
        elif claims.realm == "gov" and claims.employee_id:
            kind, name = Caller.OFFICER, claims.employee_id
            post = await self._posts(token, claims.employee_id, post_id)
        elif claims.realm == "gov" and claims.client != _BROWSERS_CLIENT and not claims.person_id:
            kind, name = Caller.SERVICE, claims.client
        else:
            raise CallerUnknown
        # in whole seconds, as the issuer counts: else it finds fresh enough what we do not
        proven_ago = max(0, int(self._verifier.now()) - claims.proven_at)
        return Actor(kind, name, token, claims.client, claims.session, claims.acr, claims.roles, post, call, proven_ago)
