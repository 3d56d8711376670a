"""Proposals: what was filled in advance, confirmed in one act, or declined."""

from dataclasses import dataclass
from datetime import datetime
from typing import Self

from fastapi import APIRouter

from orchestration import usecases
from orchestration.api.access import AppDep, Id, MayFile, MayReadFiling
from orchestration.api.answers import FilingAnswer, Sentences, say
from orchestration.api.filings import SubmitFiling
from orchestration.domain.filing import State
from orchestration.usecases.proposals import Explained, FilledField

router = APIRouter()


@dataclass(frozen=True, slots=True)
class ProposalAnswer:
    """What the proposal was made after, and which field was filled from what."""

    filing_id: str
    state: State
    text: str
    due_at: datetime
    source_filing_id: str
    source_filing_no: str
    source_matter_name: str
    source_case_id: str
    source_case_no: str
    source_item_name: str
    fields: tuple[FilledField, ...]

    @classmethod
    def of(cls, explained: Explained, sentences: Sentences) -> Self:
        proposal, origin = explained.proposal, explained.origin
        told = {"matter_name": explained.matter_name, "item_name": origin.item_name}
        return cls(
            filing_id=proposal.filing_id,
            state=explained.filing.state,
            text=say(sentences, "PROPOSED_AFTER_ITEM", told),
            due_at=proposal.due_at,
            source_filing_id=proposal.source_filing_id,
            source_filing_no=origin.filing_no,
            source_matter_name=origin.matter_name,
            source_case_id=proposal.source_case_id,
            source_case_no=origin.case_no,
            source_item_name=origin.item_name,
            fields=explained.fields,
        )


@router.get("/v1/filings/{filing_id}/proposal")
async def read_proposal(filing_id: Id, app: AppDep, actor: MayReadFiling) -> ProposalAnswer:
    async with app.store.begin(actor) as tx:
        return ProposalAnswer.of(await usecases.read_proposal(tx, filing_id), app.sentences)


@router.post("/v1/filings/{filing_id}:confirm")
async def confirm_filing(filing_id: Id, body: SubmitFiling, app: AppDep, actor: MayFile) -> FilingAnswer:
    ready = await usecases.prepare_confirmation(
        app.store, app.outside, actor, filing_id, plan_digest=body.plan_digest, calendar=app.calendar
    )
    async with app.store.begin(actor) as tx:
        return tx.unit.answer(FilingAnswer.of(await usecases.confirm_filing(tx, filing_id, ready)))


@router.post("/v1/filings/{filing_id}:decline")
async def decline_filing(filing_id: Id, app: AppDep, actor: MayFile) -> FilingAnswer:
    async with app.store.begin(actor) as tx:
        return tx.unit.answer(FilingAnswer.of(await usecases.decline_filing(tx, filing_id)))
