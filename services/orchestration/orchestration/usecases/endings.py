"""How cases end without a decision: by their department, or taken back by the applicant."""

from orchestration.domain import endings as rules
from orchestration.domain.case import Case
from orchestration.domain.document import withdrawal_of
from orchestration.domain.endings import DeclineGround, TerminationGround
from orchestration.domain.filing import Dossier
from orchestration.store import Tx
from orchestration.usecases.acts import record_act


async def decline_case(
    tx: Tx, case_id: str, *, ground: DeclineGround, competent_organ: str | None, explanation: str
) -> Case:
    """Not take up a case (不予受理), with the ground and, if we are not competent, who is."""
    dossier = await tx.filings.lock_by_case(case_id, tx.unit.actor)
    step = rules.decline(dossier.filing, case_id, ground=ground, competent_organ=competent_organ, at=tx.unit.at)
    await tx.filings.save(step, case_id=case_id, explanation=explanation)
    return record_act(tx, "decline_case", dossier, step, case_id, explanation=explanation)


async def terminate_case(tx: Tx, case_id: str, *, ground: TerminationGround, explanation: str) -> Case:
    """End a case without a decision (终止)."""
    dossier = await tx.filings.lock_by_case(case_id, tx.unit.actor)
    step = rules.terminate(dossier.filing, case_id, reason_code=ground.value, at=tx.unit.at)
    await tx.filings.save(step, case_id=case_id, explanation=explanation)
    return record_act(tx, "terminate_case", dossier, step, case_id, explanation=explanation)


async def withdraw_case(tx: Tx, case_id: str) -> Case:
    """Take one case back (撤回); cases that need its approval leave the filing."""
    dossier = await tx.filings.lock_by_case(case_id, tx.unit.actor)
    step = rules.withdraw(dossier.filing, case_id, at=tx.unit.at)
    await tx.filings.save(step, case_id=case_id)
    return record_act(tx, "withdraw_case", dossier, step, case_id)


async def withdraw_filing(tx: Tx, filing_id: str) -> Dossier:
    """Take back every case that is not decided (撤回申请)."""
    dossier = await tx.filings.read(filing_id, lock=True)
    step = rules.withdraw_all(dossier.filing, at=tx.unit.at)
    await tx.filings.save(step)
    definition = await tx.matters.get(dossier.filing.matter_code, dossier.filing.matter_version)
    confirmation = withdrawal_of(
        dossier, step, definition.lead_department, document_id=str(tx.unit.ids()), at=tx.unit.at
    )
    tx.documents.add(confirmation)
    tx.unit.record(
        "orchestration.withdraw_filing",
        subject=("filing", filing_id),
        owner=dossier.filing.applicant_id,
        details={"cases": len(step.changed), "document_id": confirmation.document_id},
    )
    return Dossier(step.filing, dossier.matter_name, dossier.content, dossier.plan)
