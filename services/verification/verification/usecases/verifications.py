"""Verification: looking, verifying with evidence, checking again, and what was verified of whom."""

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from common.paging import Page

from verification.domain import verifying
from verification.domain.refusals import EvidenceNotFound, IdMalformed
from verification.domain.verifying import Decision, Evidence, Query
from verification.store import Tx
from verification.usecases.caller import person


async def list_verifications(tx: Tx, *, cursor: str | None, size: int) -> Page[Evidence]:
    """List what was verified of the caller: who asked, what for, and what they were told."""
    return await tx.evidence.page(holder=person(tx), cursor=cursor, size=size)


async def find_licences(
    tx: Tx,
    queries: Sequence[Query],
    *,
    matter_code: str,
    guardianships: Mapping[UUID, UUID],
    filing_id: UUID | None = None,
    acts_for: UUID | None = None,
) -> list[Decision]:
    """Look what the library would answer; nothing is put on record.

    `guardianships` are those that the caller has now, by ward; whom an agent `acts_for` asks in the agent's place.
    """
    verifying.check_queries(queries)
    if not queries:
        return []
    caller = acts_for or person(tx)
    found = await tx.evidence.facts(queries, caller=caller, matter_code=matter_code, filing_id=filing_id)
    return [
        verifying.decide(
            query,
            caller=caller,
            licences=held,
            consents=given,
            guardianship_id=guardianships.get(query.holder_id),
            at=tx.unit.at,
        )
        for query, (held, given) in zip(queries, found, strict=True)
    ]


async def verify_licences(
    tx: Tx,
    filing_id: UUID,
    queries: Sequence[Query],
    *,
    matter_code: str,
    purpose: str,
    guardianships: Mapping[UUID, UUID],
    acts_for: UUID | None = None,
) -> list[tuple[Decision, Evidence]]:
    """Verify licences for a filing (核验) and put each answer on record; the same answer is recorded once."""
    decisions = await find_licences(
        tx, queries, matter_code=matter_code, guardianships=guardianships, filing_id=filing_id, acts_for=acts_for
    )
    if not decisions:
        return []
    caller = acts_for or person(tx)
    records = [
        verifying.evidence_of(
            decision,
            evidence_id=tx.unit.ids(),
            filing_id=filing_id,
            asked_by=caller,
            matter_code=matter_code,
            purpose=purpose,
            at=tx.unit.at,
        )
        for decision in decisions
    ]
    kept = await tx.evidence.keep(records, at=tx.unit.at)
    tx.unit.record(
        "verification.verify_licences",
        subject=("filing", str(filing_id)),
        owner=str(caller),
        details={"evidence": [str(record.evidence_id) for record in kept.values()]},
    )
    return [(decision, kept[decision.query.key]) for decision in decisions]


async def reverify_licences(
    tx: Tx, filing_id: UUID, keys: Collection[str], *, purpose: str, evidence_ids: Collection[UUID]
) -> list[tuple[Decision, Evidence]]:
    """Verify again what was verified for a filing (重新核验), for the department that decides on it.

    Only what is on record for the filing can be asked for, so nobody is looked up anew by way of this verb; and only by
    who can name a record of each, which stands in the case that it is decided on: the library knows no cases itself.
    """
    wanted = sorted(set(keys))
    records = await tx.evidence.latest(filing_id, wanted)
    named = await tx.evidence.keys_of(filing_id, evidence_ids)
    if not wanted or len(records) != len(wanted) or not named.issuperset(wanted):
        raise EvidenceNotFound(filing_id=str(filing_id))
    department = _department(tx)
    queries = [Query(record.key, record.licence_type, record.holder_id) for record in records]
    found = await tx.evidence.facts(queries, caller=department, matter_code=records[0].matter_code)
    decisions = [
        verifying.reverify(query, licences=held, at=tx.unit.at) for query, (held, _) in zip(queries, found, strict=True)
    ]
    kept = await tx.evidence.keep(
        [
            verifying.evidence_of(
                decision,
                evidence_id=tx.unit.ids(),
                filing_id=filing_id,
                asked_by=department,
                matter_code=records[0].matter_code,
                purpose=purpose,
                at=tx.unit.at,
            )
            for decision in decisions
        ],
        at=tx.unit.at,
    )
    for decision in decisions:
        tx.unit.record(
            "verification.reverify_licences",
            subject=("filing", str(filing_id)),
            owner=str(decision.query.holder_id),
            purpose=purpose,
            details={"evidence": str(kept[decision.query.key].evidence_id), "finding": decision.finding.value},
        )
    return [(decision, kept[decision.query.key]) for decision in decisions]


def _department(tx: Tx) -> UUID:
    try:
        return UUID(tx.unit.actor.post.org_id if tx.unit.actor.post else "")
    except ValueError as error:
        raise IdMalformed(field="org_id") from error
