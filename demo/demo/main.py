"""The demo's commands: load the city, play the newborn's story, lay out the gallery, print codes and people."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import httpx
import pyotp
import typer
import yaml
from rich.console import Console
from rich.table import Column, Table

from demo import arrangements, city, gallery, loader, player
from demo.browser import CallRefused
from demo.people import Sessions, credentials, logged_in
from demo.settings import Settings

cli = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, help=__doc__)
console = Console()
# where the gallery is looked at, until there are pages for it
LOOKS = (
    ("yangxue", "orchestration/v1/filings", "我的办件"),
    ("maqiang", "verification/v1/me/consent-requests", "授权请求"),
    ("health", "workbench/v1/todos", "待办"),
    ("commission", "orchestration/v1/cases", "条线办件列表"),
    ("admin", "orchestration/v1/operations/stuck", "运维台"),
)


@cli.command()
def load() -> None:
    """Load the demo city; loading again changes nothing."""

    def told(title: str, count: int) -> None:
        console.print(f"  {title} {count}")

    console.print("装载演示城市")
    asyncio.run(_open_the_city(Settings(), told))


async def _open_the_city(settings: Settings, told: loader.Told) -> None:
    await loader.load(settings, told=told)
    async with Sessions(settings) as sessions:
        await arrangements.arrange(settings, sessions, at=datetime.now(UTC))
    told("法人", len(city.legal_persons()))
    told("离岗", sum("on_leave" in each for each in city.employees()))


@cli.command()
def play() -> None:
    """Play the newborn's story once, through the public routes, each person with a session of his or her own."""
    asyncio.run(player.play(Settings(), console, at=datetime.now(UTC)))


@cli.command("gallery")
def show_gallery() -> None:
    """Lay out one filing for every way that the matter can stand; laid out again, what is there stays."""
    console.print("陈列：每一种办理情形各一件")
    table = Table("办件编号", Column("情形", overflow="fold"), Column("谁在哪里看得到", overflow="fold"))

    def told(exhibit: gallery.Exhibit, filing: dict[str, Any]) -> None:
        console.print(f"  {exhibit.name}")
        seen = "\n".join(f"{username}：{where}" for username, where in exhibit.seen.items())
        table.add_row(filing["filing_no"] or "—", exhibit.name, seen)

    asyncio.run(gallery.lay_out(Settings(), at=datetime.now(UTC), told=told))
    console.print(table)
    console.print("以各人的身份查看：")
    for username, path, where in LOOKS:
        console.print(f"  make call NAME={username} TO={path}  [dim]{where}[/dim]", soft_wrap=True)


@cli.command()
def code(username: str) -> None:
    """Print a person's one-time code, as the authenticator app would show it."""
    seed = credentials(Settings(), username).totp_seed
    console.print(pyotp.TOTP(seed).now() if seed else "此人没有绑定动态口令")


@cli.command()
def sandbox() -> None:
    """Print what a department's developer needs to try a system of his or her own, for a shell to take in."""
    settings = Settings()
    print(f"export HOUSE={settings.public_url} KEYCLOAK={settings.keycloak_url}")
    print(f"export CLIENT_ID=department-sandbox CLIENT_SECRET={settings.sandbox_secret}")


@cli.command()
def call(username: str, path: str, body: Annotated[Path | None, typer.Argument()] = None) -> None:
    """Ask the API as one of the demo's people: a question, or with a file (JSON or YAML) or a :verb an act."""
    told = json.loads(json.dumps(yaml.safe_load(body.read_text(encoding="utf-8")), default=str)) if body else {}

    async def asked() -> Any:
        async with logged_in(Settings(), username) as person:
            acting = body is not None or ":" in path
            return await (person.post(path, told) if acting else person.get(path))

    print(json.dumps(asyncio.run(asked()), ensure_ascii=False, indent=1))


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


def main() -> None:
    """Run a command; what can be said in a sentence is."""
    try:
        cli(standalone_mode=False)
    except (CallRefused, loader.CityChanged, player.StoryStuck, gallery.GalleryStuck) as said:
        console.print(f"{type(said).__name__}: {said}")
        raise SystemExit(1) from None
    except httpx.TransportError:
        console.print("The house does not answer. Is `make run` up?")
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
