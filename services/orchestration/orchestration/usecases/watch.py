"""Evidence that lives: licences change, cases are marked, and the department looks again before it decides."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from common.auth import Actor

from orchestration.domain import watch as rules
from orchestration.domain.plan import Finding
from orchestration.domain.refusals import CaseAlreadyDecided
from orchestration.domain.watch import Alarm, Change, Watch
from orchestration.events import evidence_changed
from orchestration.store import Store, Tx
from orchestration.store.cases import CaseFile
from orchestration.usecases.app import Outside


async def mark_change(tx: Tx, licence_id: str, version: int, *, change: Change, at: datetime) -> None:
    """A licence changed: mark every undecided case that stands on it, and tell applicant and department."""
    voided = change is Change.VOIDED
    if not await tx.watches.note(licence_id, version, voided=voided, at=at):
        return
    for watched in await tx.watches.watched(licence_id, version, voided=voided):
        case = watched.case
        tx.unit.emit(evidence_changed(case, watched.filing_id, watched.requirement, change, at))
        tx.unit.record(
            "orchestration.mark_change",
            subject=("case", case.id),
            owner=watched.applicant_id,
            details={
                "filing_id": watched.filing_id,
                "item": case.item,
                "item_name": case.item_name,
                "requirement": watched.requirement,
                "change": change.value,
            },
        )


@dataclass(frozen=True, slots=True)
class Reverified:
    """What a second verification found, and what it was asked for."""

    file: CaseFile
    watches: tuple[Watch, ...]
    findings: Mapping[str, Finding]


async def prepare_reverification(store: Store, outside: Outside, actor: Actor, case_id: str) -> Reverified:
    """Verify the licences of a case again, as the legal duty of who decides; outside of any transaction."""
    # The look beforehand is not the request: only the act itself may be answered from the idempotency row.
    looking = replace(actor, call=replace(actor.call, idempotency_key=None))
    async with store.begin(looking) as tx:
        file = await tx.cases.read(case_id)
        watches = () if file.case.decided_at else tuple(await tx.watches.of_case(case_id))
    stands_on = {material.code: material.data.get("evidence_id") for material in file.case.materials}
    wanted = {watch.requirement: str(stands_on.get(watch.requirement) or "") for watch in watches}
    findings = await outside.verification.reverify(actor, file.filing_id, file.matter_name, wanted)
    return Reverified(file, watches, findings)


async def reverify_case(tx: Tx, case_id: str, again: Reverified) -> tuple[Alarm, ...]:
    """Keep what was found again (重新核验); tells what still alarms."""
    file = again.file
    dossier = await tx.filings.lock_by_case(case_id, tx.unit.actor)
    if dossier.filing.case(case_id).decided_at is not None:
        raise CaseAlreadyDecided(case_id=case_id)
    found = [rules.reverified(watch, again.findings[watch.requirement]) for watch in again.watches]
    if found:
        tx.watches.reverify(case_id, found, rules.with_evidence(file.case.materials, again.findings))
    tx.unit.record(
        "orchestration.reverify_case",
        subject=("case", case_id),
        owner=file.applicant_id,
        details={
            "filing_id": file.filing_id,
            "item": file.case.item,
            "item_name": file.case.item_name,
            "found": {watch.requirement: watch.finding.value for watch in found},
        },
    )
    await tx.unit.flush()
    return await tx.watches.alarms(case_id)


async def forget_changes(tx: Tx) -> None:
    """Drop changes of licences that nothing stands on."""
    await tx.watches.forget()
