"""The runner's commands: `python -m tools.runner --help`."""

import asyncio
import json
import os
import sys
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from tools.runner import arrival, backups
from tools.runner.control import Control
from tools.runner.environment import environment
from tools.runner.house import House
from tools.runner.instance import RUN, Instance
from tools.runner.leaving import finish
from tools.runner.ports import OFFSETS, base_from_environment
from tools.runner.refusals import StartFailed, TooLittleRunning
from tools.runner.sequence import DEMO, services
from tools.runner.supervisor import Supervisor, running

cli = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    # a trace with local variables would show secrets
    pretty_exceptions_enable=False,
    help="Start, watch and stop the house on this machine.",
)

InstanceName = Annotated[str, typer.Option("--instance", help="Which copy of the house: its folder under .run/.")]
Base = Annotated[int, typer.Option("--base", help="First port of its block.", default_factory=base_from_environment)]
# at once, whoever reads it
say = partial(print, flush=True)
NoKeycloak = Annotated[bool, typer.Option("--no-keycloak", help="Leave Keycloak out: it takes longest to start.")]


@cli.command()
def run(
    base: Base,
    instance: InstanceName = "main",
    *,
    demo: Annotated[bool, typer.Option(help="Load the demo city and play the newborn's story.")] = True,
) -> None:
    """The whole house, with the demo city, until Ctrl-C."""
    place = Instance(instance, base)

    async def stay() -> int:
        began = time.monotonic()
        async with Supervisor(place) as supervisor:
            house = House(supervisor, say)
            found = services()
            house.check_ports(found)
            say(f"Starting the house (instance {place.name}, ports from {place.base}) ...")
            await house.bring_up(found)
            say(f"The house is up after {time.monotonic() - began:.1f} s.\n")
            for step in DEMO if demo else ():
                if code := await arrival.show(step.argv(), everything(place)):
                    raise StartFailed(f"{step.name} failed with exit code {code}")
            say(arrival.welcome(place))
            await asyncio.Event().wait()
        return 0

    finish(stay(), stopped=0)


@cli.command()
def servers(base: Base, instance: InstanceName = "main", *, no_keycloak: NoKeycloak = False) -> None:
    """PostgreSQL, NATS, Redis and Keycloak alone, until Ctrl-C."""
    place = Instance(instance, base)

    async def stay() -> int:
        async with Supervisor(place) as supervisor:
            house = House(supervisor, say, keycloak=not no_keycloak)
            house.check_ports()
            await house.bring_up_servers()
            say("The servers are up; Ctrl-C ends them.")
            await asyncio.Event().wait()
        return 0

    finish(stay(), stopped=0)


@cli.command("exec", context_settings={"ignore_unknown_options": True})
def execute(
    command: Annotated[list[str], typer.Argument(help="What to run, after --.")],
    base: Base,
    instance: InstanceName = "test",
    *,
    with_house: Annotated[bool, typer.Option("--with-house", help="Migrations, realms and all services too.")] = False,
    keep_data: Annotated[bool, typer.Option("--keep-data", help="Begin with what the last run has left.")] = False,
    no_keycloak: NoKeycloak = False,
) -> None:
    """Run a command beside the servers, with all names in its environment; then stop them.

    An instance that is already up is used as it is, and left as it is.
    """
    place = Instance(instance, base)
    # the command's own output is what people read
    beside = partial(say, file=sys.stderr)

    async def once() -> int:
        if control := await running(place):
            await _refuse_too_little(control, with_house=with_house, keycloak=not no_keycloak)
            # where it is, whatever our own environment says
            return await arrival.show(command, everything(Instance(instance, await control.base())))
        async with Supervisor(place, fresh=not keep_data) as supervisor:
            house = House(supervisor, beside, throw_away=not keep_data, keycloak=not no_keycloak)
            found = services() if with_house else []
            house.check_ports(found)
            await (house.bring_up(found) if with_house else house.bring_up_servers())
            return await arrival.show(command, everything(place))

    finish(once())


@cli.command()
def backup(target: Path, instance: InstanceName = "main") -> None:
    """Copy the databases of a running instance, at one point in time, and its secrets into a new folder."""

    async def copy() -> int:
        control = await running(Instance(instance, 0))
        if control is None:
            raise TooLittleRunning(f"The instance {instance} is not running.")
        await backups.back_up(Instance(instance, await control.base()), target)
        say(f"{target} holds everything; whoever has it can read everything.")
        return 0

    finish(copy())


@cli.command()
def restore(source: Path, instance: InstanceName = "main") -> None:
    """Put a backup in the place of what a stopped instance holds; the next run begins with it."""

    async def take() -> int:
        async with Supervisor(Instance(instance, 0)) as supervisor:
            await backups.restore(supervisor.instance, source)
        say(f"The instance {instance} holds what {source} held.")
        return 0

    finish(take())


@cli.command()
def status(instance: InstanceName = "main") -> None:
    """Who runs."""

    async def show() -> int:
        control = await running(Instance(instance, 0))
        if control is None:
            print(f"The instance {instance} is not running.")
            return 1
        for each in (await control.status()).values():
            print(f"{each.name:<16} {each.state:<9} pid {each.pid or '-':<8} restarts {each.restarts}")
        return 0

    finish(show())


@cli.command()
def control(
    do: Annotated[str, typer.Argument(help="stop, start, restart or kill")],
    name: str,
    number: Annotated[str, typer.Argument(help="for kill: KILL, TERM, STOP, CONT")] = "KILL",
    instance: InstanceName = "main",
) -> None:
    """Stop, start, restart or kill one process by name."""
    house = Control(Instance(instance, 0).control)
    verbs = {
        "stop": partial(house.stop, name),
        "start": partial(house.start, name),
        "restart": partial(house.restart, name),
        "kill": partial(house.kill, name, number),
    }
    if do not in verbs:
        raise typer.BadParameter(f"{do} is none of {', '.join(verbs)}")

    async def tell() -> int:
        await verbs[do]()
        return 0

    finish(tell())


@cli.command("environment")
def show_environment(base: Base, instance: InstanceName = "main") -> None:
    """The names and values that `exec` gives a command, as JSON; it holds secrets."""
    print(json.dumps(environment(Instance(instance, base)), indent=1))


@cli.command()
def ports(base: Base) -> None:
    """Which part listens where."""
    for part, offset in sorted(OFFSETS.items(), key=lambda each: each[1]):
        print(f"{base + offset}  {part}")


@cli.command()
def clean(instance: Annotated[str, typer.Option("--instance", help="This copy alone; all if not given.")] = "") -> None:
    """Forget data, logs and secrets; keep what was downloaded and built."""

    async def forget_all() -> int:
        homes = [home for home in RUN.iterdir() if home.is_dir() and home.name != "tools"] if RUN.exists() else []
        homes = [home for home in homes if instance in ("", home.name)]
        for home in homes:
            # taken like any other run: an instance that is up refuses, what a killed runner left is ended
            async with Supervisor(Instance(home.name, 0), fresh=True) as supervisor:
                supervisor.instance.forget()
            print(f"forgot {home}")
        return 0

    finish(forget_all())


def everything(place: Instance) -> Mapping[str, str]:
    return {**os.environ, **environment(place)}


async def _refuse_too_little(control: Control, *, with_house: bool, keycloak: bool) -> None:
    phase = await control.phase()
    if phase not in ("servers", "house"):
        raise TooLittleRunning(f"The instance is already there, but {phase}. Try again in a moment.")
    if with_house and phase != "house":
        raise TooLittleRunning("The instance is already up, with servers alone. End it, or take another --instance.")
    if keycloak and "keycloak" not in await control.status():
        raise TooLittleRunning("The instance is already up, without Keycloak. End it, or take another --instance.")


if __name__ == "__main__":
    cli()
