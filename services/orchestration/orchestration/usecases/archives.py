"""Closed filings go to the archive when their time has come; officers read what rests there."""

from common.auth import Actor

from orchestration.domain import archive as rules
from orchestration.domain.archive import ArchivedPaper, Holdings
from orchestration.domain.correction import Stated
from orchestration.domain.filing import Dossier
from orchestration.store import Store, Tx
from orchestration.store.archives import Archived

_AT_ONCE = 100


async def archive_filings(store: Store, actor: Actor) -> int:
    """Archive filings (归档) that are old enough, each by itself; tells how many there were."""
    async with store.begin(actor) as tx:
        found = await tx.archives.closed(_AT_ONCE)
    count = 0
    for filing_id in found:
        async with store.begin(actor) as tx:
            count += await _archive(tx, filing_id)
    return count


async def read_archive(tx: Tx, case_id: str) -> Archived:
    """The manifest of the filing that a case is of; it names no person and is not journalled."""
    return await tx.archives.of_case(case_id)


async def _archive(tx: Tx, filing_id: str) -> bool:
    dossier = await tx.filings.read(filing_id, lock=True)
    definition = await tx.matters.get(dossier.filing.matter_code, dossier.filing.matter_version)
    holdings = await _holdings(tx, dossier)
    step = rules.archive(
        dossier.filing,
        holdings.deliveries,
        days=definition.archive_days,
        is_calling=await tx.calls.is_open(filing_id),
        at=tx.unit.at,
    )
    if not step.facts:
        return False
    digest = tx.archives.add(rules.manifest_of(dossier, holdings, at=tx.unit.at))
    tx.filings.rest(step)
    tx.unit.record(
        "orchestration.archive_filing",
        subject=("filing", filing_id),
        owner=dossier.filing.applicant_id,
        details={"digest": digest},
    )
    return True


async def _holdings(tx: Tx, dossier: Dossier) -> Holdings:
    filing_id = dossier.filing.id
    outcomes = await tx.cases.outcomes(filing_id)
    return Holdings(
        stated={item: Stated(outcome.result, outcome.explanation) for item, outcome in outcomes.items()},
        corrections=await tx.corrections.of_filing(filing_id),
        deliveries=await tx.deliveries.of_filing(filing_id),
        documents=tuple(
            ArchivedPaper(each.document_id, each.kind.value, each.digest)
            for each in await tx.documents.of_filing(filing_id)
        ),
        attachments=tuple(
            ArchivedPaper(each.attachment_id, each.kind.value, each.digest.hex())
            for each in await tx.attachments.of_filing(filing_id)
        ),
        journal=await tx.archives.journal(filing_id),
    )
