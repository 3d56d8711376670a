"""A campaign: filings go through the house while it is broken again and again, then everything is reconciled."""

import asyncio
import itertools
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime

import asyncpg
from demo.people import OFFICERS, Cast, cast, credentials
from demo.settings import Settings as DemoSettings

from demo import loader, newborn
from faults import chaos, logs, progress, reconciling, records, stories, work
from faults.armed import Armed
from faults.ledger import JSON, Ledger
from faults.person import Person
from faults.settings import Settings
from faults.stories import Beside, Story
from faults.told import every
from tools.runner.control import Control

IN_FLIGHT = 12
RECONCILED_WITHIN = 600.0
# draft and submit, and claim, accept and approve of five cases
ACTS = 2 + 3 * 5


@dataclass(frozen=True, slots=True)
class Wanted:
    """How much, what is broken meanwhile, and how long it may take."""

    filings: int
    plan: Sequence[chaos.Fault] = ()
    seed: int = 0
    within: float = 3600.0
    at_once: int = IN_FLIGHT
    # more filings than were asked for, as long as faults are to come
    until_broken: bool = False
    # besides, each service dies at each of these points
    points: Mapping[str, Sequence[str]] = field(default_factory=dict)
    # what goes on beside the filings
    stories: Sequence[Story] = ()

    @property
    def faults(self) -> int:
        return len(self.plan) + sum(map(len, self.points.values()))


def at_random(filings: int, faults: int, seed: int, *, without: Sequence[str] = (), within: float = 3600.0) -> Wanted:
    """Faults by chance, the same for the same seed."""
    victims = [name for name in chaos.VICTIMS if name not in without]
    return Wanted(filings, chaos.planned(seed, faults, ACTS * filings, victims), seed, within)


@dataclass(slots=True)
class Result:
    """What a campaign did and found."""

    wanted: Wanted
    seconds: float
    rest_seconds: float
    longest_stall: float
    recoveries: list[chaos.Recovery]
    later: Counter[str]
    asked: int
    acts: int
    filings: int
    problems: dict[str, list[str]] = field(default_factory=dict)

    @property
    def is_sound(self) -> bool:
        return not any(self.problems.values())

    def as_json(self) -> JSON:
        broken = Counter(f"{each.fault.victim} {each.fault.kind}" for each in self.recoveries)
        longest: dict[str, float] = {}
        for each in self.recoveries:
            if each.fault.kind is chaos.Kind.CRASH:
                continue  # how long it lived until it came to its point tells nothing
            longest[each.fault.victim] = round(max(longest.get(each.fault.victim, 0), each.seconds), 1)
        return {
            "seed": self.wanted.seed,
            "filings": self.filings,
            "faults": len(self.recoveries),
            "seconds": round(self.seconds, 1),
            "filings_per_second": round(self.filings / self.seconds, 2),
            "acts": self.acts,
            "asked_again": self.asked - self.acts,
            "longest_stall_seconds": round(self.longest_stall, 1),
            "seconds_until_rest": round(self.rest_seconds, 1),
            "broken": dict(sorted(broken.items())),
            "longest_away_seconds": dict(sorted(longest.items())),
            "answers_to_come_again": dict(self.later.most_common()),
            "oracles": {name: found[:20] or "holds" for name, found in self.problems.items()},
        }


@asynccontextmanager
async def city(*, at: datetime) -> AsyncIterator[Cast]:
    """The loaded city with its people logged in; the father has consented."""
    settings = DemoSettings()
    await loader.load(settings, told=lambda *_: None)
    async with cast(settings) as everybody:
        await newborn.grant(everybody.father, at=at)
        yield everybody


async def _door(inside: Settings, beside: Beside, at: datetime) -> list[str]:
    gateway = await asyncpg.connect(inside.gateway_database_url.replace("+asyncpg", ""))
    try:
        return await records.door_as_answered(gateway, stories.visitor_id(), beside.at_the_door, at)
    finally:
        await gateway.close()


def persons(everybody: Cast, ledger: Ledger) -> list[Person]:
    """The mother, then the officers; what they do goes into the ledger."""
    settings = DemoSettings()
    browsers = {"lijing": everybody.mother, **{name: everybody.officers[name] for name in OFFICERS}}
    return [Person(browser, credentials(settings, name), ledger) for name, browser in browsers.items()]


async def run(wanted: Wanted, everybody: Cast, *, at: datetime) -> Result:
    """Work and break, wait until the house rests, reconcile."""
    inside = Settings()
    ledger = Ledger(time.monotonic)
    beside = Beside(Ledger(time.monotonic))
    armed = Armed(inside.tongban_instance_dir)
    agent = chaos.Agent(Control(inside.tongban_control), armed, ledger, time.monotonic)
    mother, *officers = persons(everybody, ledger)
    before = frozenset(filing["filing_id"] for filing in await every(mother, "orchestration/v1/filings"))
    seen = progress.Progress(wanted.filings, wanted.faults, ledger, agent)
    began = time.monotonic()
    late = []
    try:
        async with asyncio.timeout(wanted.within), progress.told(seen):
            name = f"{at:%H%M%S%f}-{wanted.seed}"
            await _work_and_break(wanted, agent, mother, officers, beside=beside, seen=seen, run=name)
    except TimeoutError:
        late = [f"not done within {wanted.within:g} s"]
        await agent.mend()
    finally:
        await armed.close()
    seconds = time.monotonic() - began
    stall = ledger.longest_stall
    async with asyncio.timeout(RECONCILED_WITHIN), reconciling.opened(inside) as held:
        rest = await reconciling.rest(held, inside, time.monotonic)
        problems = await reconciling.reconcile(ledger, mother, officers, inside, held, before=before)
        if wanted.stories:
            problems["accounts_as_answered"] = await records.accounts_as_answered(held, beside.ledger)
            problems["door_as_answered"] = await _door(inside, beside, at)
            problems["ended_sessions_open_nothing"] = beside.opened
            problems["no_wrong_answer"] += [f"{times} times {answer}" for answer, times in beside.ledger.wrong.items()]
    return Result(
        wanted,
        seconds,
        rest,
        stall,
        agent.recoveries,
        ledger.later + beside.ledger.later,
        sum(act.asked for act in ledger.acts.values()),
        ledger.moves,
        len(ledger.answered("draft")),
        {
            **problems,
            "nothing_unexpected": logs.unexpected(inside.tongban_instance_dir / "logs", at),
            "everything_came_back": agent.lost,
            "done_in_time": late,
        },
    )


@asynccontextmanager
async def officers_at_work(officers: list[Person], cases: AbstractSet[str]) -> AsyncIterator[None]:
    """Beside the block, the officers work through the cases, which become more."""
    async with asyncio.TaskGroup() as group:
        attending = [group.create_task(work.attend(officer, cases)) for officer in officers]
        yield
        for task in attending:
            task.cancel()


async def _work_and_break(
    wanted: Wanted,
    agent: chaos.Agent,
    mother: Person,
    officers: list[Person],
    *,
    beside: Beside,
    seen: progress.Progress,
    run: str,
) -> None:
    cases: set[str] = set()
    serials = itertools.count()

    async with officers_at_work(officers, cases), asyncio.TaskGroup() as group:
        for story in wanted.stories:
            group.create_task(story(beside, mother, run))

        async with asyncio.TaskGroup() as working:
            breaking = working.create_task(_break(wanted, agent))

            async def family() -> None:
                while (serial := next(serials)) < wanted.filings or (wanted.until_broken and not breaking.done()):
                    filing = await work.file(mother, serial, run)
                    cases.update(case["case_id"] for case in filing["cases"])
                    await work.follow(mother, filing["filing_id"])
                    await every(mother, "workbench/v1/messages")
                    seen.closed += 1

            for _ in range(wanted.at_once):
                working.create_task(family())
        beside.ended.set()


async def _break(wanted: Wanted, agent: chaos.Agent) -> None:
    await agent.work(wanted.plan)
    await agent.die_at_each(wanted.points)
