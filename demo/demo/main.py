"""The demo's commands: load the city, play the newborn's story, print a one-time code or the list of people."""

import asyncio
from datetime import UTC, datetime

import pyotp
import typer
from rich.console import Console
from rich.table import Table

from demo import city, loader, player
from demo.people import credentials
from demo.settings import Settings

cli = typer.Typer(add_completion=False, no_args_is_help=True, help=__doc__)
console = Console()


@cli.command()
def load() -> None:
    """Load the demo city; loading again changes nothing."""

    def told(title: str, count: int) -> None:
        console.print(f"  {title} {count}")

    console.print("装载演示城市")
    asyncio.run(loader.load(Settings(), told=told))


@cli.command()
def play() -> None:
    """Play the newborn's story once, through the public routes, each person with a session of his or her own."""
    asyncio.run(player.play(Settings(), console, at=datetime.now(UTC)))


@cli.command()
def code(username: str) -> None:
    """Print a person's one-time code, as the authenticator app would show it."""
    seed = credentials(Settings(), username).totp_seed
    console.print(pyotp.TOTP(seed).now() if seed else "此人没有绑定动态口令")


@cli.command()
def people() -> None:
    """List the demo's accounts and how they log in."""
    settings = Settings()
    table = Table("用户名", "姓名", "单位与职务", "入口")
    for person in city.citizens():
        table.add_row(person["username"], person["name"], "市民", "/citizen")
    for person in city.employees():
        where = f"{city.organisation(person['org_path'])['name']} {person['title']}"
        table.add_row(person["username"], person["name"], where, "/workbench")
    console.print(table)
    console.print(f"市民密码 {settings.citizen_password}")
    console.print(f"公务人员密码 {settings.officer_password}，另需一次性口令：make code NAME=用户名")


if __name__ == "__main__":
    cli()
