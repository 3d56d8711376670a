"""What the terminal shows once the house is up: commands with their own output, and where to go."""

import asyncio
from collections.abc import Mapping, Sequence

from tools.runner.environment import keycloak_url, public_url
from tools.runner.instance import ROOT, Instance

PATIENCE = 15


async def show(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run a command in the foreground and answer its exit code."""
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, env=environment)
    try:
        return await process.wait()
    except asyncio.CancelledError:
        # Ctrl-C has reached it as well; a signal to the runner alone has not
        if process.returncode is None:
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), PATIENCE)
        except TimeoutError:
            process.kill()
            await process.wait()
        raise


def welcome(instance: Instance) -> str:
    front = public_url(instance)
    secrets = instance.secrets
    return f"""
The city is open (一座城已开门):

  citizens 市民        {front}/citizen
  civil servants 政务   {front}/workbench
  the interfaces       {front}/docs
  Keycloak             {keycloak_url(instance)}

  citizens (lijing, zhangwei, yangxue, ...)            password {secrets["citizen_password"]}
  officers (health, police, insurance, admin, ...)     password {secrets["officer_password"]}

What to try next, in another terminal:

  make people              everybody's account, where they work, and how they log in
  make code NAME=police    an officer's one-time code, as the authenticator would show it
  make play                the newborn's story once more
  make gallery             a filing for every way a matter can stand, and who sees it where
  make call NAME=health TO=workbench/v1/todos   ask the API as one of them
  make kill NAME=workbench a crash: watch it come back
  make test                all tests, on servers and ports of their own

Logs are in {instance.logs}. Ctrl-C ends everything; the data stays, `make clean` forgets it.
"""
