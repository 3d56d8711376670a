"""Every journal of the house holds together, as the command says that an auditor runs."""

import asyncio
import sys

import pytest
from attack.settings import SERVICES


@pytest.mark.parametrize("service", [*SERVICES, "gateway"])
async def test_the_sealed_journal_is_as_it_was(service):
    command = (sys.executable, "-m", f"{service}.main", "verify-journal")
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    said, _ = await process.communicate()
    last = said.decode().strip().splitlines()[-1]
    assert (process.returncode, " 0 faults" in last) == (0, True), last
