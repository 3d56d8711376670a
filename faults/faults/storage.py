"""What can happen to a server's data: forgotten, put back as they were, no room for more."""

import asyncio
import os
import shutil
from pathlib import Path

from tools.runner.control import Control
from tools.runner.refusals import ControlRefused

ROOM = 64 * 1024 * 1024
CHUNK = 64 * 1024
START_AGAIN_WITHIN = 60.0


def folder(control: Control, server: str) -> Path:
    return control.socket.parent / "data" / server


async def wipe(control: Control, server: str) -> None:
    await control.stop(server)
    await asyncio.to_thread(shutil.rmtree, folder(control, server))
    await control.start(server)


async def go_back(control: Control, server: str, seconds: float) -> None:
    """Copy the data, let work go on for a while, put the copy in their place."""
    data = folder(control, server)
    older = data.with_name(f"{server}-older")
    await control.stop(server)
    await asyncio.to_thread(shutil.copytree, data, older)
    await control.start(server)
    await asyncio.sleep(seconds)
    await control.stop(server)
    await asyncio.to_thread(shutil.rmtree, data)
    await asyncio.to_thread(older.rename, data)
    await control.start(server)


async def fill(control: Control, server: str, seconds: float) -> None:
    """Move the data onto a small disk, fill that disk for a while, make room again, and move the data back."""
    if os.geteuid():
        raise ControlRefused("only root can give a server a small disk")
    data = folder(control, server)
    aside = data.with_name(f"{server}-aside")
    await control.stop(server)
    await asyncio.to_thread(data.rename, aside)
    data.mkdir()
    try:
        size = await asyncio.to_thread(_size, aside) + ROOM
        await run("mount", "-t", "tmpfs", "-o", f"size={size},mode=0700", "tmpfs", str(data))
        await run("cp", "-a", f"{aside}/.", str(data))
        await control.start(server)
        await asyncio.to_thread(_fill, data / "filler")
        await asyncio.sleep(seconds)
        (data / "filler").unlink()
        await asyncio.sleep(seconds / 2)
        # a server that gave up is started by the runner, again and again
        await control.wait_ready(server, START_AGAIN_WITHIN)
        await control.stop(server)
        await asyncio.to_thread(shutil.rmtree, aside)
        await run("cp", "-a", str(data), str(aside))
        (aside / "filler").unlink(missing_ok=True)
    finally:
        await _quietly_stopped(control, server)
        if data.is_mount():
            await run("umount", str(data))
        data.rmdir()
        aside.rename(data)
    await control.start(server)


async def run(*command: str) -> None:
    process = await asyncio.create_subprocess_exec(*command)
    if code := await process.wait():
        raise ControlRefused(f"{command[0]}: exit code {code}")


async def _quietly_stopped(control: Control, server: str) -> None:
    try:
        await control.stop(server)
    except ControlRefused:
        return


def _size(place: Path) -> int:
    return sum(each.stat().st_blocks * 512 for each in place.rglob("*") if each.is_file())


def _fill(filler: Path) -> None:
    """Take all that is left, down to the last page."""
    with filler.open("wb", buffering=0) as out:
        for size in (CHUNK, 4096):
            try:
                while True:
                    out.write(os.urandom(size))
            except OSError:
                continue
