"""What happens to cases by itself when its time has come."""

from dataclasses import replace

from common.auth import Actor
from worktime import Calendar

from orchestration.domain.timers import fire
from orchestration.store import Store
from orchestration.usecases.acts import record_act

_AT_ONCE = 100


async def sweep_timers(store: Store, actor: Actor, calendar: Calendar) -> int:
    """Fire a batch of timers that are due, each once however many sweep; tells how many there were."""
    async with store.begin(actor) as tx:
        taken = await tx.timers.take(_AT_ONCE)
        dossiers = {read.filing.id: read for _, _, read in taken}
        for case_id, kind, read in taken:
            # One filing may have several timers in a batch: each finds what the one before left.
            dossier = dossiers[read.filing.id]
            step = fire(dossier.filing, case_id, kind, at=tx.unit.at, calendar=calendar)
            dossiers[read.filing.id] = replace(dossier, filing=step.filing)
            await tx.filings.save(step, case_id=case_id)
            if step.facts:
                record_act(tx, f"timer_{kind}", dossier, step, case_id)
            if step.changed:
                await tx.unit.flush()
    return len(taken)
