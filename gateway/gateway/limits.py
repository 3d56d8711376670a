"""How many calls a caller may make: token buckets in Redis, or of this process alone while Redis is away."""

import math
import time
from collections import OrderedDict
from dataclasses import dataclass

from redis.asyncio import Redis
from redis.exceptions import RedisError

from gateway.domain import Limit, TooManyCalls

LOCAL_CALLERS = 10_000
# while Redis is away it is asked again only so often
AWAY_FOR = 2.0

# The clock is Redis's own, so that all processes agree. Answers: whether there was a token, and how many are left.
BUCKET = """
local function take(key, rate, burst)
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
local kept = redis.call('HMGET', key, 'tokens', 'at')
local tokens = burst
if kept[1] then tokens = math.min(burst, tonumber(kept[1]) + math.max(0, now - tonumber(kept[2])) * rate) end
local given = tokens >= 1
if given then tokens = tokens - 1 end
redis.call('HSET', key, 'tokens', tostring(tokens), 'at', string.format('%.6f', now))
redis.call('PEXPIRE', key, math.ceil(burst / rate * 1000) + 1000)
return {given and 1 or 0, tostring(tokens)}
end
"""
_TAKE = f"{BUCKET} return take(KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2]))"


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a caller has left; every answer tells it."""

    limit: Limit
    left: float

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        full_in = math.ceil((self.limit.burst - self.left) / self.limit.rate)
        return [
            (b"ratelimit-limit", b"%d" % self.limit.burst),
            (b"ratelimit-remaining", b"%d" % max(0, math.floor(self.left))),
            (b"ratelimit-reset", b"%d" % max(0, full_in)),
        ]


def allowance(limit: Limit, left: float, *, given: bool) -> Allowance:
    """What the bucket said, or TooManyCalls."""
    if not given:
        raise TooManyCalls(retry_after=math.ceil((1 - left) / limit.rate))
    return Allowance(limit, left)


class Limits:
    """The buckets of all callers."""

    def __init__(self, redis: Redis) -> None:
        self._take = redis.register_script(_TAKE)
        self._local: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._away_until = 0.0

    async def take(self, caller: str, limit: Limit) -> Allowance:
        """One call more, or TooManyCalls."""
        given, left = await self._ask(caller, limit)
        return allowance(limit, left, given=given)

    async def _ask(self, caller: str, limit: Limit) -> tuple[bool, float]:
        if time.monotonic() < self._away_until:
            return self._take_here(caller, limit)
        try:
            given, left = await self._take(keys=[f"limit:{caller}"], args=[limit.rate, limit.burst])
        except (RedisError, OSError):
            self._away_until = time.monotonic() + AWAY_FOR
            return self._take_here(caller, limit)
        return bool(given), float(left)

    def _take_here(self, caller: str, limit: Limit) -> tuple[bool, float]:
        now = time.monotonic()
        tokens, at = self._local.pop(caller, (float(limit.burst), now))
        tokens = min(limit.burst, tokens + (now - at) * limit.rate)
        given = tokens >= 1
        tokens -= given
        self._local[caller] = (tokens, now)
        while len(self._local) > LOCAL_CALLERS:
            self._local.popitem(last=False)
        return given, tokens
