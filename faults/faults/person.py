"""A person with a patient browser: asks the same again, with the same key, until somebody answers."""

import asyncio
from collections.abc import Awaitable, Callable

import httpx
from demo.browser import Browser, CallRefused, Credentials, LogInFailed

from faults.ledger import JSON, Ledger

PAUSE = 0.3
LOG_IN_PAUSE = 2.0
COME_AGAIN = frozenset({429, 502, 503, 504})
UNAUTHENTICATED = 401
BROKEN = 500


class Person:
    """Somebody at a browser, whose every act goes into the ledger."""

    def __init__(self, browser: Browser, who: Credentials, ledger: Ledger) -> None:
        self.browser = browser
        self._who = who
        self._ledger = ledger
        self._logging_in = asyncio.Lock()
        self._log_ins = 0

    async def act(
        self, kind: str, subject: str, key: str, call: Callable[[], Awaitable[JSON]], body: JSON | None = None
    ) -> JSON:
        """Do something that changes the house, once."""
        act = self._ledger.ask(kind, subject, key, body or {})

        async def once() -> JSON:
            act.asked += 1
            return await call()

        answer = await self.ask(once)
        self._ledger.note(act, answer)
        return answer

    async def ask[T](self, call: Callable[[], Awaitable[T]]) -> T:
        """Ask until somebody answers. A refusal is an answer, and the caller's business."""
        while True:
            before = self._log_ins
            try:
                return await call()
            except httpx.TransportError as error:
                self._ledger.later[type(error).__name__] += 1
            except CallRefused as refused:
                told = f"{refused.status} {refused.reason}".strip()
                if refused.status == UNAUTHENTICATED:
                    self._ledger.later[told] += 1
                    await self._log_in_again(before)
                elif refused.status in COME_AGAIN:
                    self._ledger.later[told] += 1
                elif refused.status >= BROKEN:
                    self._ledger.wrong[f"{told} {refused}"[:200]] += 1
                else:
                    raise
            await asyncio.sleep(PAUSE)

    async def _log_in_again(self, before: int) -> None:
        async with self._logging_in:
            while self._log_ins == before:
                try:
                    await self.browser.log_in(self._who)
                    self._log_ins += 1
                except (httpx.TransportError, LogInFailed) as error:
                    self._ledger.later[f"log-in {type(error).__name__}"] += 1
                    await asyncio.sleep(LOG_IN_PAUSE)
