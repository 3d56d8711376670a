"""What the gateway costs: the same read through it and straight at the service, with a token that both know.

    python -m bench      (it starts a house of its own, with rate limits out of the way)

Two reads: one's own person (accounts), and a filing with its seven cases (orchestration).
"""

import argparse
import asyncio
import os
from collections import Counter
from collections.abc import Mapping

import uvloop
from demo.people import cast
from demo.settings import Settings

from bench import meter
from bench.direct import Target, ask, cookie_of, service_url, token_of
from demo import loader, newborn
from tools.runner.control import Control

PARTS = ("gateway", "redis", "accounts", "orchestration", "postgres", "keycloak")
# aims: 1.5 times a direct call and 200 microseconds
TIMES, PLUS = 1.5, 0.2
TURNS = 4


async def cost(control: Control, targets: Mapping[str, Target], *, users: int, calls: int) -> dict[str, object]:
    """What a call of each costs. They take turns, so that a busy neighbour meets both."""
    took: dict[str, list[float]] = {name: [] for name in targets}
    spent: dict[str, Counter[str]] = {name: Counter() for name in targets}
    seconds: Counter[str] = Counter()
    busy: Counter[str] = Counter()
    for target in targets.values():
        await ask(target, users=users, calls=max(50, users))
    for _ in range(TURNS):
        for name, target in targets.items():
            before = await meter.by_part(control, PARTS)
            answers = await ask(target, users=users, calls=calls // TURNS)
            after = await meter.by_part(control, PARTS)
            took[name] += answers.took
            seconds[name] += answers.seconds
            busy[name] += answers.busy
            spent[name].update({part: after[part] - before[part] for part in after if part in before})
    return {
        name: {
            "calls_per_second": round(len(took[name]) / seconds[name]),
            **meter.percentiles(took[name]),
            **({"too_busy": busy[name]} if busy[name] else {}),
            "cpu_ms_per_call": meter.difference(dict.fromkeys(spent[name], 0.0), spent[name], len(took[name])),
        }
        for name in targets
    }


async def measure(calls: int) -> dict[str, object]:
    settings = Settings()
    control = Control.from_environment()
    await loader.load(settings, told=lambda *_: None)
    async with cast(settings) as people:
        filing_id = (await newborn.draft(people.mother, 1))["filing_id"]
        await newborn.plan(people.mother, filing_id)
        bearer = {"Authorization": f"Bearer {await token_of(people.mother)}"}
        session = {"Cookie": cookie_of(people.mother)}
        api = f"{people.mother.public_url}/citizen/api"
        result: dict[str, object] = {}
        for name, service, path in (
            ("person", "accounts", "/v1/me"),
            ("filing", "orchestration", f"/v1/filings/{filing_id}"),
        ):
            direct = Target(service_url(os.environ, service) + path, bearer)
            through = Target(f"{api}/{service}{path}", session)
            few = await cost(control, {"direct": direct, "gateway": through}, users=20, calls=calls)
            many = await cost(control, {"gateway": through}, users=100, calls=calls)
            reads = {
                "direct_20_users": few["direct"],
                "gateway_20_users": few["gateway"],
                "gateway_100_users": many["gateway"],
            }
            straight, hop = (reads[each]["cpu_ms_per_call"]["all"] for each in ("direct_20_users", "gateway_20_users"))
            aim = round(TIMES * straight + PLUS, 3)
            result[name] = {**reads, "times": round(hop / straight, 2), "aim_ms": aim, "met": hop <= aim}
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=2000)
    arguments = parser.parse_args()
    machine = meter.machine()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        result = runner.run(measure(arguments.calls))
    command = f"python -m bench.gateway --calls {arguments.calls}"
    meter.write("gateway", {**result, "machine": machine, "command": command})


if __name__ == "__main__":
    main()
