"""The document for departments' developers, followed to the letter: its program is taken from it and run."""

import asyncio
import json
import os
import re
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import yaml
from demo.people import Cast, Sessions
from demo.settings import Settings

from demo import newborn
from e2e.waiting import eventually

DOCUMENT = Path(__file__).parents[1] / "docs" / "connect.md"
APP = "my_guidance"


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


class System:
    """The program of the document, in a folder of its own."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = f"http://127.0.0.1:{free.getsockname()[1]}"
        (program,) = (block for block in blocks("python") if "my_system.py" in block)
        (folder / "my_system.py").write_text(program, encoding="utf-8")
        self._folder = folder
        told = {"HOUSE": settings.public_url, "KEYCLOAK": settings.keycloak_url, "ADDRESS": self.address}
        client = {"CLIENT_ID": "department-sandbox", "CLIENT_SECRET": settings.sandbox_secret}
        self._environment = {"PATH": os.environ["PATH"], **told, **client}

    async def registration(self) -> newborn.JSON:
        process = await self._start("register", stdout=asyncio.subprocess.PIPE)
        out, _ = await process.communicate()
        told: newborn.JSON = json.loads(out)
        return told

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        process = await self._start()
        try:
            yield
        finally:
            process.kill()
            await process.wait()

    async def _start(self, *arguments: str, stdout: int | None = None) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable, "my_system.py", *arguments, cwd=self._folder, env=self._environment, stdout=stdout
        )


async def test_a_developer_who_follows_the_document_has_a_system_that_decides(
    people: Cast, settings: Settings, tmp_path: Path
) -> None:
    system = System(tmp_path, settings)
    async with Sessions(settings) as sessions:
        health, admin = await sessions.of("health"), await sessions.of("admin")
        registered = await health.post("workbench/v1/apps", await system.registration())
        assert (registered["code"], registered["state"]) == (APP, "draft")
        await admin.post(f"workbench/v1/apps/{APP}:approve")
        (trial,) = map(yaml.safe_load, blocks("yaml"))
        await admin.post("orchestration/v1/matters", trial)

    asked = next(json.loads(block) for block in blocks("json") if "guidance_trial" in block)

    async def filed() -> str:
        filing_id: str = (await people.mother.post("orchestration/v1/filings", asked))["filing_id"]
        plan = await newborn.plan(people.mother, filing_id)
        await newborn.submit(people.mother, filing_id, plan["plan_digest"])
        return filing_id

    async def decided(filing_id: str) -> bool:
        filing = await newborn.filing(people.mother, filing_id)
        return [case["status"] for case in filing["cases"]] == ["approved"] and filing["state"] == "closed"

    async with system.running():
        first = await filed()
        await eventually(lambda: decided(first), within=30)
    # while it is away the case waits; it has it as soon as it is back
    second = await filed()
    async with system.running():
        await eventually(lambda: decided(second), within=60)
