"""What happens to cases by itself when its time has come."""

from common.auth import Actor
from worktime import Calendar

from orchestration.domain.filing import Filing, Step
from orchestration.domain.timers import TimerKind, fire
from orchestration.store import Store, Tx

_AT_ONCE = 100


async def sweep_timers(store: Store, actor: Actor, calendar: Calendar) -> int:
    """Fire a batch of timers that are due, each once however many sweep; tells how many there were."""
    async with store.begin(actor) as tx:
        taken = await tx.timers.take(_AT_ONCE)
        filings: dict[str, Filing] = {}
        for case_id, kind, read in taken:
            # One filing may have several timers in a batch: each finds what the one before left.
            filing = filings.get(read.id, read)
            step = fire(filing, case_id, kind, at=tx.unit.at, calendar=calendar)
            filings[read.id] = step.filing
            await tx.filings.save(step, case_id=case_id)
            _record(tx, step, case_id, kind)
            if step.changed:
                await tx.unit.flush()
    return len(taken)


def _record(tx: Tx, step: Step, case_id: str, kind: TimerKind) -> None:
    if not step.facts:
        return
    case = step.filing.case(case_id)
    tx.unit.record(
        f"orchestration.timer_{kind}",
        subject=("case", case_id),
        owner=step.filing.applicant_id,
        details={
            "filing_id": step.filing.id,
            "case_no": case.no,
            "item": case.item,
            "item_name": case.item_name,
            "status": case.status.value,
            "facts": [fact.happened.value for fact in step.facts],
        },
    )
