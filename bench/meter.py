"""Processor seconds, by part of the house: the stable figure of every bench."""

import asyncio
import json
import platform
from collections.abc import Awaitable, Callable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil

from tools.runner.control import Control

RESULTS = Path(__file__).parent / "results"
_PACKAGES = ("asyncpg", "fastapi", "nats-py", "sqlalchemy", "pydantic", "uvicorn")


def spent(pid: int) -> float:
    """What a process has spent with its children, the ones that have ended among them."""
    family = psutil.Process(pid)
    total = 0.0
    for each in (family, *family.children(recursive=True)):
        try:
            total += sum(each.cpu_times()[:4])
        except psutil.NoSuchProcess:
            continue  # it ended meanwhile: its parent counts it from now on
    return total


async def by_part(control: Control, names: tuple[str, ...] = ()) -> dict[str, float]:
    """What each part, or each named one, has spent so far."""
    status = await control.status()
    return {name: spent(each.pid) for name, each in status.items() if each.pid and (not names or name in names)}


def difference(before: Mapping[str, float], after: Mapping[str, float], per: float) -> dict[str, float]:
    """Milliseconds per operation; what spent nothing is left out."""
    parts = {name: round(1000 * (after[name] - before[name]) / per, 3) for name in after if name in before}
    return {name: each for name, each in parts.items() if each} | {"all": round(sum(parts.values()), 3)}


async def until(done: Callable[[], Awaitable[bool]], *, within: float, what: str, every: float = 0.1) -> None:
    """Look until it is so; a bench that hangs fails with what it waited for."""
    try:
        async with asyncio.timeout(within):
            while not await done():
                await asyncio.sleep(every)
    except TimeoutError as error:
        raise RuntimeError(f"not within {within} s: {what}") from error


def machine() -> dict[str, object]:
    installed = {}
    for name in _PACKAGES:
        try:
            installed[name] = version(name)
        except PackageNotFoundError:
            continue
    return {
        "cores": psutil.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9),
        "python": platform.python_version(),
        "busy_before": round(psutil.getloadavg()[0], 1),
        "versions": installed,
    }


def percentiles(seconds: list[float]) -> dict[str, float]:
    """In milliseconds."""
    ordered = sorted(seconds)

    def at(share: float) -> float:
        return round(1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))], 2)

    return {"p50_ms": at(0.5), "p99_ms": at(0.99), "max_ms": round(1000 * ordered[-1], 2)}


def write(name: str, result: Mapping[str, object]) -> None:
    RESULTS.mkdir(exist_ok=True)
    text = json.dumps(result, indent=1, ensure_ascii=False)
    (RESULTS / f"{name}.json").write_text(text + "\n")
    print(text)
