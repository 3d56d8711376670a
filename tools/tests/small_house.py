"""A house with two small services: what the tests of the supervisor start."""

import asyncio
import sys

from tools.runner.house import House
from tools.runner.instance import Instance
from tools.runner.leaving import finish
from tools.runner.sequence import Service
from tools.runner.supervisor import Supervisor


async def stay(base: int, names: list[str]) -> int:
    async with Supervisor(Instance("trial", base)) as supervisor:
        house = House(supervisor, print, keycloak=False)
        services = [Service(name, (sys.executable, "-m", "tools.tests.small_service", name)) for name in names]
        house.check_ports(services)
        await house.bring_up(services, steps=())
        print("up", flush=True)
        await asyncio.Event().wait()
    return 0


if __name__ == "__main__":
    finish(stay(int(sys.argv[1]), sys.argv[2:] or ["accounts", "gateway"]), stopped=0)
