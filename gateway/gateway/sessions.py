"""Who is logged in: sessions and begun log-ins in Redis, sealed, found by the hash of what the browser holds.

Keys (Redis 6.2 commands only):
  session:<hash>            the sealed session; its time to live is the idle limit
  limit:session:<hash>      how many calls it has left
  sid:<realm>:<sid>         the sessions of one Keycloak session    sub:<realm>:<sub>   all sessions of one person
  login:<hash>              a begun log-in, taken once
  renewal:<hash>            who renews a session's tokens just now, or that it just failed

What else is told of a session's beginning or end is written in the same transaction (`Also`).
"""

import hashlib
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, cast

import orjson
from redis.asyncio import Redis
from redis.exceptions import RedisError
from sealing import KeyRing, SealBroken

from gateway.domain import Device, Face, Limit, SessionsAway
from gateway.limits import BUCKET, Allowance, allowance

if TYPE_CHECKING:
    from redis.asyncio.client import Pipeline

type Also = Callable[["Pipeline", "Session"], None]

RENEWAL_LASTS = timedelta(seconds=15)
FAILURE_LASTS = timedelta(seconds=2)
FAILED = b"failed"

# released only by the one who took it
_RELEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"
# changed only if nobody has changed it meanwhile: the other may have brought new tokens
_REPLACE = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'KEEPTTL')
return 1
"""
# reads a session and counts a call of it in one round trip; nothing is counted for a session that is not there
_USE = f"""{BUCKET}
local held = redis.call('GETEX', KEYS[1], 'PX', ARGV[3])
if not held then return {{}} end
local taken = take(KEYS[2], tonumber(ARGV[1]), tonumber(ARGV[2]))
return {{held, taken[1], taken[2]}}
"""


@dataclass(frozen=True, slots=True)
class Tokens:
    """What Keycloak gave for a log-in; never leaves the house."""

    access: str = field(repr=False)
    access_until: float
    refresh: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Session:
    """A browser's log-in at one face (会话)."""

    face: str
    realm: str
    sub: str
    sid: str
    person_id: str
    acr: int
    began: float
    ends: float
    # when the person last proved who he or she is
    proven: float
    # what the person knows this session by; it opens nothing
    handle: str
    device: Device
    network: str
    tokens: Tokens


@dataclass(frozen=True, slots=True)
class Seen:
    """A living session as its person sees it from another one."""

    hashed: str
    sealed: bytes = field(repr=False)
    session: Session
    last_seen: float


@dataclass(frozen=True, slots=True)
class LogIn:
    """A log-in begun and not yet finished, bound to the browser that began it."""

    face: str
    nonce: str
    verifier: str
    browser: str
    return_to: str
    acr: int
    # a step-up: whose session it must be, and how fresh the proof
    sub: str | None = None
    max_age: int | None = None
    # what else the person came to do at Keycloak
    action: str | None = None


def secret() -> str:
    """256 random bits."""
    return secrets.token_urlsafe(32)


def digest(value: str) -> str:
    return hashlib.sha256(value.encode()).hexdigest()


class Sessions:
    """All that is kept in Redis about log-ins. Without Redis nobody is let in: SessionsAway."""

    def __init__(
        self, redis: Redis, keys: KeyRing, clock: Callable[[], datetime], *, idle: timedelta, log_in_within: timedelta
    ) -> None:
        self._redis = redis
        self._keys = keys
        self._clock = clock
        self._idle = idle
        self._log_in_within = log_in_within
        self._release = redis.register_script(_RELEASE)
        self._replace = redis.register_script(_REPLACE)
        self._use = redis.register_script(_USE)

    async def begin(self, session: Session, also: Also) -> str:
        """Keep a new session under an id that nobody has seen before."""
        session_id = secret()
        hashed = digest(session_id)
        lasts = timedelta(seconds=session.ends - self._now())
        async with _reaching(), self._redis.pipeline(transaction=True) as pipe:
            pipe.set(f"session:{hashed}", self._sealed(hashed, session), ex=min(self._idle, lasts))
            for index in _indexes(session):
                pipe.sadd(index, hashed)
                pipe.expire(index, lasts)
            also(pipe, session)
            await pipe.execute()
        return session_id

    async def use(self, face: Face, session_id: str, limit: Limit) -> tuple[Session, Allowance] | None:
        """The session for one call more, or TooManyCalls; using it is being active."""
        hashed = digest(session_id)
        idle = self._idle // timedelta(milliseconds=1)
        async with _reaching():
            answer = await self._use(
                keys=[f"session:{hashed}", f"limit:session:{hashed}"], args=[limit.rate, limit.burst, idle]
            )
        if not answer:
            return None
        sealed, given, left = answer
        session = await self._alive(face, hashed, sealed)
        return (session, allowance(limit, float(left), given=bool(given))) if session else None

    async def read(self, face: Face, session_id: str) -> Session | None:
        """The session, if it is alive."""
        hashed = digest(session_id)
        async with _reaching():
            sealed = cast("bytes | None", await self._redis.getex(f"session:{hashed}", ex=self._idle))
        return await self._alive(face, hashed, sealed) if sealed is not None else None

    async def renew(self, session_id: str, session: Session, tokens: Tokens) -> Session:
        """Keep new tokens, unless the session has ended meanwhile."""
        hashed = digest(session_id)
        renewed = replace(session, tokens=tokens)
        async with _reaching():
            await self._redis.set(f"session:{hashed}", self._sealed(hashed, renewed), ex=self._idle, xx=True)
        return renewed

    async def end(self, session_id: str, also: Also | None = None) -> Session | None:
        return await self._end(digest(session_id), also)

    async def end_all(self, realm: str, also: Also, *, sid: str | None, sub: str | None) -> None:
        """End the sessions of one Keycloak session, or all of a person."""
        index = f"sid:{realm}:{sid}" if sid else f"sub:{realm}:{sub}"
        async with _reaching():
            members = cast("set[bytes]", await self._redis.smembers(index))
        for each in members:
            await self._end(each.decode(), also)

    async def end_seen(self, seen: Seen, also: Also) -> Session | None:
        return await self._end(seen.hashed, also)

    async def all_of(self, realm: str, sub: str) -> list[Seen]:
        """A person's living sessions, the latest used first; looking at them does not count as using them."""
        index = f"sub:{realm}:{sub}"
        async with _reaching():
            members = [each.decode() for each in cast("set[bytes]", await self._redis.smembers(index))]
            async with self._redis.pipeline(transaction=False) as pipe:
                for hashed in members:
                    pipe.get(f"session:{hashed}")
                    pipe.pttl(f"session:{hashed}")
                answers = await pipe.execute()
        found = []
        for hashed, sealed, left in zip(members, answers[::2], answers[1::2], strict=True):
            session = self._opened(hashed, sealed) if sealed is not None else None
            if session is None or session.ends <= self._now():
                await self._forget(index, hashed)
                continue
            # every use sets the whole idle time anew: what is left of it tells when that was
            last_seen = self._now() - max(0.0, self._idle.total_seconds() - left / 1000)
            found.append(Seen(hashed, sealed, session, max(session.began, last_seen)))
        return sorted(found, key=lambda each: each.last_seen, reverse=True)

    async def doubt(self, realm: str, sub: str) -> None:
        """Believe none of a person's tokens any more: the next call of each session asks Keycloak."""
        for seen in await self.all_of(realm, sub):
            doubted = replace(seen.session, tokens=replace(seen.session.tokens, access_until=0.0))
            async with _reaching():
                await self._replace(
                    keys=[f"session:{seen.hashed}"], args=[seen.sealed, self._sealed(seen.hashed, doubted)]
                )

    async def reseal(self) -> tuple[int, int]:
        """Seal anew what lies under a retired key, while people go on; tell how many were, and how many are left.

        What somebody changes at the same moment is left: perhaps by a process that does not use the new key yet.
        """
        done = left = 0
        async with _reaching():
            for kind in ("session", "login"):
                async for name in self._redis.scan_iter(f"{kind}:*", count=500):
                    sealed = cast("bytes | None", await self._redis.get(name))
                    if sealed is None or sealed.startswith(self._keys.header):
                        continue
                    anew = self._anew(sealed, bound=name.decode())
                    if anew is not None and await self._replace(keys=[name], args=[sealed, anew]):
                        done += 1
                    else:
                        left += 1
        return done, left

    def _anew(self, sealed: bytes, *, bound: str) -> bytes | None:
        try:
            return self._keys.seal(self._keys.open(sealed, bound=bound), bound=bound)
        except SealBroken:
            return None

    async def begin_log_in(self, log_in: LogIn) -> str:
        """Keep a log-in under the state that Keycloak will bring back."""
        state = secret()
        hashed = digest(state)
        sealed = self._keys.seal(orjson.dumps(log_in), bound=f"login:{hashed}")
        async with _reaching():
            await self._redis.set(f"login:{hashed}", sealed, ex=self._log_in_within)
        return state

    async def take_log_in(self, state: str) -> LogIn | None:
        """Once only: the second to come with the same state finds nothing."""
        hashed = digest(state)
        async with _reaching():
            sealed = cast("bytes | None", await self._redis.getdel(f"login:{hashed}"))
        if sealed is None:
            return None
        try:
            return LogIn(**orjson.loads(self._keys.open(sealed, bound=f"login:{hashed}")))
        except (SealBroken, TypeError):  # under a key that has been retired, or of another release: begin again
            return None

    async def first_seen(self, name: str, lasts: timedelta) -> bool:
        """Whether this name is new within the time."""
        async with _reaching():
            return bool(await self._redis.set(f"seen:{digest(name)}", b"1", ex=lasts, nx=True))

    async def start_renewal(self, session_id: str) -> str | None:
        """Become the one who renews, or None if somebody is at it (or has just failed)."""
        holder = secret()
        async with _reaching():
            taken = await self._redis.set(f"renewal:{digest(session_id)}", holder, px=RENEWAL_LASTS, nx=True)
        return holder if taken else None

    async def renewal(self, session_id: str) -> bytes | None:
        async with _reaching():
            return cast("bytes | None", await self._redis.get(f"renewal:{digest(session_id)}"))

    async def finish_renewal(self, session_id: str, holder: str, *, failed: bool = False) -> None:
        """Let the others go on; after a failure they are spared a try of their own for a moment."""
        key = f"renewal:{digest(session_id)}"
        async with _reaching():
            if failed:
                await self._redis.set(key, FAILED, px=FAILURE_LASTS, xx=True)
            else:
                await self._release(keys=[key], args=[holder])

    async def ping(self) -> None:
        async with _reaching():
            await self._redis.ping()

    async def _alive(self, face: Face, hashed: str, sealed: bytes) -> Session | None:
        session = self._opened(hashed, sealed)
        if session is None or session.face != face.name:
            return None
        if session.ends <= self._now():
            await self._end(hashed)
            return None
        return session

    async def _end(self, hashed: str, also: Also | None = None) -> Session | None:
        """End a session once, whoever else ends it or uses it at this moment."""
        name = f"session:{hashed}"

        async def taken(pipe: "Pipeline") -> Session | None:
            sealed = cast("bytes | None", await pipe.get(name))
            session = self._opened(hashed, sealed) if sealed is not None else None
            pipe.multi()  # type: ignore[no-untyped-call]
            pipe.delete(name)
            if session is not None:
                for index in _indexes(session):
                    pipe.srem(index, hashed)
                if also is not None:
                    also(pipe, session)
            return session

        async with _reaching():
            return cast("Session | None", await self._redis.transaction(taken, name, value_from_callable=True))

    async def _forget(self, index: str, hashed: str) -> None:
        async with _reaching():
            await self._redis.srem(index, hashed)

    def _sealed(self, hashed: str, session: Session) -> bytes:
        return self._keys.seal(orjson.dumps(asdict(session)), bound=f"session:{hashed}")

    def _opened(self, hashed: str, sealed: bytes) -> Session | None:
        try:
            kept = orjson.loads(self._keys.open(sealed, bound=f"session:{hashed}"))
            return Session(**{**kept, "tokens": Tokens(**kept["tokens"]), "device": Device(**kept["device"])})
        except (
            SealBroken,
            KeyError,
            TypeError,
        ):  # under a key that has been retired, or of another release: log in again
            return None

    def _now(self) -> float:
        return self._clock().timestamp()


def _indexes(session: Session) -> tuple[str, str]:
    return f"sid:{session.realm}:{session.sid}", f"sub:{session.realm}:{session.sub}"


@asynccontextmanager
async def _reaching() -> AsyncIterator[None]:
    try:
        yield
    except (RedisError, OSError) as error:
        raise SessionsAway from error
