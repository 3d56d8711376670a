"""What goes on beside the filings: a clerk keeps people and posts, somebody logs in and out, somebody reads.

A story is told again and again until the campaign ends; what has begun is brought to its end. What was answered is
reconciled like everything else.
"""

import asyncio
import itertools
import time
import uuid
import zlib
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import partial

import httpx
from demo.browser import Browser, CallRefused, LogInFailed
from demo.people import credentials
from demo.settings import Settings as DemoSettings

from demo import city, newborn
from faults.ledger import JSON, Ledger
from faults.person import COME_AGAIN, Person

PAUSE = 1.0
# a merger wants a log-in of the last quarter of an hour
FRESH_FOR = 600.0
NEEDS_A_LOG_IN = 401
CLERK, COLLEAGUE, VISITOR = "admin", "market", "wangfang"
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
READS = (
    "workbench/v1/messages",
    "orchestration/v1/filings",
    "verification/v1/me/licences",
    "accounts/v1/me/access-log",
)


@dataclass(slots=True)
class Beside:
    """What the stories were answered, and what they saw that may not be."""

    ledger: Ledger
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    # an answered log-out after which the session still opened something
    opened: list[str] = field(default_factory=list)
    visits: int = 0
    # how often the visitor was told to be in, and to be out
    at_the_door: Counter[str] = field(default_factory=Counter)


type Story = Callable[[Beside, Person, str], Coroutine[None, None, None]]


async def read(beside: Beside, mother: Person, _run: str) -> None:
    """The mother looks at everything that is hers."""
    while not beside.ended.is_set():
        for path in READS:
            await mother.ask(partial(mother.browser.get, path))
        await asyncio.sleep(PAUSE)


async def visit(beside: Beside, _mother: Person, _run: str) -> None:
    """Somebody logs in twice, ends the other session from afar, and logs out; what has ended opens nothing."""
    settings = DemoSettings()
    who = credentials(settings, VISITOR)
    while not beside.ended.is_set():
        async with Browser(settings.public_url, "citizen") as one, Browser(settings.public_url, "citizen") as other:
            for browser in (one, other):
                beside.at_the_door["gateway.log_in"] += await surely(beside, partial(browser.log_in, who))
            if await surely(beside, partial(_end_others, one)):
                await _must_be_out(beside, other, "a session that was ended from afar")
            beside.at_the_door["gateway.log_out"] += await surely(beside, one.log_out)
            await _must_be_out(beside, one, "a session that was logged out")
        beside.visits += 1
        await asyncio.sleep(PAUSE)


def visitor_id() -> str:
    return str(city.citizen(VISITOR)["person_id"])


async def keep_accounts(beside: Beside, _mother: Person, run: str) -> None:
    """A clerk registers people, gives posts, suspends and lets in again; with a colleague, two records become one."""
    settings = DemoSettings()
    numbers = itertools.count(zlib.crc32(run.encode()))
    posts = {name: city.employee(name)["post_id"] for name in (CLERK, COLLEAGUE)}
    while not beside.ended.is_set():
        async with AsyncExitStack() as stack:
            clerks = []
            for name, post_id in posts.items():
                browser = Browser(settings.public_url, "workbench", post_id=post_id)
                await stack.enter_async_context(browser)
                who = credentials(settings, name)
                await surely(beside, partial(browser.log_in, who))
                clerks.append(Person(browser, who, beside.ledger))
            clerk, colleague = clerks
            fresh_until = time.monotonic() + FRESH_FOR
            while time.monotonic() < fresh_until and not beside.ended.is_set():
                name = f"{run}-{next(numbers)}"
                await _people(clerk, colleague, name, [id_number(next(numbers)) for _ in range(2)])
                await _posts(clerk, name)
                await asyncio.sleep(PAUSE)


STORIES: tuple[Story, ...] = (read, visit, keep_accounts)


async def surely(beside: Beside, do: Callable[[], Awaitable[object]]) -> bool:
    """Try until it is answered. False: there is no session any more."""
    while True:
        try:
            await do()
        except CallRefused as refused:
            if refused.status == NEEDS_A_LOG_IN:
                return False
            if refused.status not in COME_AGAIN:
                raise
            beside.ledger.later[f"{refused.status} {refused.reason}"] += 1
        except (httpx.TransportError, LogInFailed) as error:
            beside.ledger.later[f"visit {type(error).__name__}"] += 1
        else:
            return True
        await asyncio.sleep(PAUSE)


async def _end_others(browser: Browser) -> None:
    """As the page of one's sessions does it."""
    answer = await browser.http.post(
        f"{browser.public_url}/{browser.face}/auth/sessions:end-others",
        headers={"X-Tongban-CSRF": "1", "Origin": browser.public_url},
    )
    if answer.is_error:
        raise CallRefused(answer)


async def _must_be_out(beside: Beside, browser: Browser, what: str) -> None:
    while True:
        try:
            await browser.get("orchestration/v1/filings")
        except CallRefused as refused:
            if refused.status == NEEDS_A_LOG_IN:
                return
        except httpx.TransportError:
            pass
        else:
            beside.opened.append(what)
            return
        await asyncio.sleep(PAUSE)


async def _people(clerk: Person, colleague: Person, name: str, numbers: Sequence[str]) -> None:
    surviving, merged = (str(uuid.uuid5(uuid.NAMESPACE_OID, f"{name}-{which}")) for which in ("one", "other"))
    for person_id, number in zip((surviving, merged), numbers, strict=True):
        body = {"person_id": person_id, "name": "试验人", "id_number": number}
        await _post(clerk, "register_person", person_id, "persons", body)
    account = f"accounts/person/{surviving}"
    await _post(clerk, "suspend_account", surviving, f"{account}:suspend", {"reason": "试验"})
    await _post(clerk, "reactivate_account", surviving, f"{account}:reactivate", {"reason": "试验"})
    asked = {"surviving_id": surviving, "merged_id": merged, "grounds": "试验重复登记"}
    merger = await _post(clerk, "request_merger", surviving, "mergers", asked)
    merger_id = merger["merger_id"]
    await _post(colleague, "confirm_merger", merger_id, f"mergers/{merger_id}:confirm", {})


async def _posts(clerk: Person, name: str) -> None:
    org_id = city.organisation("zibo.big_data")["org_id"]
    employee, post = (str(uuid.uuid5(uuid.NAMESPACE_OID, f"{name}-{which}")) for which in ("employee", "post"))
    await _post(clerk, "employ", employee, "employees", {"employee_id": employee, "name": "试验员", "org_id": org_id})
    body = {"post_id": post, "employee_id": employee, "org_id": org_id, "title": "试验", "permissions": []}
    await _post(clerk, "give_post", post, "posts", body)
    await _post(clerk, "rank_post", post, f"posts/{post}:rank", {"rank": 3})
    await _post(clerk, "end_post", post, f"posts/{post}:end", {})


async def _post(clerk: Person, kind: str, subject: str, path: str, body: JSON) -> JSON:
    key = f"{kind}-{subject}"
    call = partial(clerk.browser.post, f"accounts/v1/{path}", body, key=key, purpose=newborn.PURPOSE)
    return await clerk.act(kind, subject, key, call, body)


def id_number(serial: int) -> str:
    """A made-up number that passes: somebody born in 1900."""
    month, day, place = serial % 12 + 1, serial // 12 % 28 + 1, serial // 336 % 1000
    body = f"3703031900{month:02d}{day:02d}{place:03d}"
    rest = sum(int(digit) * weight for digit, weight in zip(body, WEIGHTS, strict=True)) % 11
    return body + "10X98765432"[rest]
