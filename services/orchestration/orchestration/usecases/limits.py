"""The limits of a case: stopped by written notice, resumed, extended by the head of the organ."""

from worktime import Calendar

from orchestration.domain import limits as rules
from orchestration.domain.case import Case
from orchestration.domain.terms import Procedure
from orchestration.store import Tx
from orchestration.usecases.acts import record_act


async def stop_clock(tx: Tx, case_id: str, *, procedure: Procedure, days: int, calendar: Calendar) -> Case:
    """Begin a special procedure (特殊程序), for as long as the applicant is told in writing."""
    dossier = await tx.filings.lock_by_case(case_id, tx.unit.actor)
    step = rules.stop(dossier.filing, case_id, procedure=procedure, days=days, at=tx.unit.at, calendar=calendar)
    await tx.filings.save(step, case_id=case_id)
    return record_act(tx, "stop_clock", dossier, step, case_id, reason=procedure.value, days=days)


async def resume_clock(tx: Tx, case_id: str, *, calendar: Calendar) -> Case:
    """End a special procedure: the limits go on."""
    dossier = await tx.filings.lock_by_case(case_id, tx.unit.actor)
    step = rules.resume(dossier.filing, case_id, at=tx.unit.at, calendar=calendar)
    await tx.filings.save(step, case_id=case_id)
    return record_act(tx, "resume_clock", dossier, step, case_id)


async def extend_limit(tx: Tx, case_id: str, *, days: int, reason: str, calendar: Calendar) -> Case:
    """Extend the limits once (延长期限), with the approval of the organ's head, who is the caller."""
    dossier = await tx.filings.lock_by_case(case_id, tx.unit.actor)
    step = rules.extend(dossier.filing, case_id, days=days, reason=reason, at=tx.unit.at, calendar=calendar)
    await tx.filings.save(step, case_id=case_id, explanation=reason)
    return record_act(tx, "extend_limit", dossier, step, case_id, explanation=reason, reason=reason, days=days)
