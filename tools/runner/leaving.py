"""How a command of the runner ends: at its end, at a refusal, or at the first Ctrl-C; never without tidying up."""

import asyncio
import logging
import signal
import sys
from collections.abc import Coroutine

from tools.runner.refusals import Refused

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def finish(work: Coroutine[None, None, int], *, stopped: int | None = None) -> None:
    """Run to the end or to the first Ctrl-C, and leave with the right exit code: `stopped` after a signal if given."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    try:
        code = asyncio.run(_until_told(work, stopped))
    except Refused as refusal:
        code = _say_no(refusal)
    except BaseExceptionGroup as group:
        refusals, others = group.split(Refused)
        if others:
            raise
        code = max(_say_no(each) for each in refusals.exceptions) if refusals else 1
    raise SystemExit(code)


def _say_no(refusal: BaseException) -> int:
    print(f"\n{refusal}", file=sys.stderr)
    return 1


async def _until_told(work: Coroutine[None, None, int], stopped: int | None) -> int:
    task = asyncio.ensure_future(work)
    told: list[signal.Signals] = []

    def stop(number: signal.Signals) -> None:
        # once: a second Ctrl-C does not keep us from stopping the others
        if not told:
            task.cancel()
        told.append(number)

    for number in SIGNALS:
        asyncio.get_running_loop().add_signal_handler(number, stop, number)
    try:
        return await task
    except asyncio.CancelledError:
        if not told:
            raise
        return 128 + told[0] if stopped is None else stopped
