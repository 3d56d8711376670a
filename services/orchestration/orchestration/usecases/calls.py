"""Making the calls that are due: a row first, the call outside, the result in a transaction of its own."""

import asyncio
from collections.abc import Callable

from common.auth import Actor
from common.errors import Refusal

from orchestration.domain import filing as rules
from orchestration.domain.call import Call, CorrectLicence, after_failure
from orchestration.store import Store, Tx
from orchestration.store.operations import Incident, Motionless
from orchestration.usecases.app import Outside

_AT_ONCE = 8


async def run_calls(store: Store, outside: Outside, actor: Actor, *, chance: Callable[[], float]) -> int:
    """Take calls that are due and make them; tells how many there were."""
    async with store.begin(actor) as tx:
        calls = await tx.calls.take(_AT_ONCE)
    await asyncio.gather(*(_run(store, outside, actor, call, chance=chance) for call in calls))
    return len(calls)


async def retry_incidents(tx: Tx) -> int:
    """Try again every call that was given up; tells how many there were."""
    count = await tx.calls.retry_incidents()
    tx.unit.record("orchestration.retry_incidents", subject=("service", "orchestration"), details={"calls": count})
    return count


async def list_motionless(tx: Tx) -> list[Motionless]:
    """Open filings that nothing will move; there must be none."""
    return await tx.operations.motionless()


async def list_incidents(tx: Tx) -> list[Incident]:
    """Calls that were given up and wait for people."""
    return await tx.operations.incidents()


async def _run(store: Store, outside: Outside, actor: Actor, call: Call, *, chance: Callable[[], float]) -> None:
    try:
        if isinstance(call.request, CorrectLicence):
            licence_id = await outside.verification.correct(call.request)
        else:
            licence_id = await outside.verification.issue(call.request)
        async with store.begin(actor) as tx:
            await _record_result(tx, call, licence_id)
    except Refusal as refusal:
        await _put_off(store, actor, call, error=refusal.reason, chance=chance())


async def _record_result(tx: Tx, call: Call, licence_id: str) -> None:
    dossier = await tx.filings.lock_by_case(call.case_id, tx.unit.actor)
    step = rules.record_result(dossier.filing, call.case_id, licence_id=licence_id, at=tx.unit.at)
    await tx.filings.save(step, case_id=call.case_id)
    await tx.calls.done(call)
    case = step.filing.case(call.case_id)
    tx.unit.record(
        "orchestration.record_correction"
        if isinstance(call.request, CorrectLicence)
        else "orchestration.record_result",
        subject=("case", call.case_id),
        owner=dossier.filing.applicant_id,
        details={
            "filing_id": call.filing_id,
            "case_no": case.no,
            "item": case.item,
            "item_name": case.item_name,
            "status": case.status.value,
            "licence_id": licence_id,
        },
    )


async def _put_off(store: Store, actor: Actor, call: Call, *, error: str, chance: float) -> None:
    async with store.begin(actor) as tx:
        state, next_try_at = after_failure(call.attempts, at=tx.unit.at, chance=chance)
        await tx.calls.failed(call, state, next_try_at, error=error)
