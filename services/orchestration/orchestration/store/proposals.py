"""Proposals: what was filled in advance, where from, and until when it waits for its person."""

from dataclasses import dataclass
from typing import Any

from common.transaction import Transaction
from sqlalchemy import select, text

from orchestration.domain.filing import Content, Filing
from orchestration.domain.proposal import Proposal, Proposed
from orchestration.domain.refusals import FilingNotFound
from orchestration.models import ProposalRow
from orchestration.store.rows import CASES, FILING_COLUMNS, FILINGS, filing_of, sealed_content

PROPOSALS: Any = ProposalRow.__table__  # type: ignore[attr-defined]
_FIELDS = ("filing_id", "matter_code", "source_case_id", "source_filing_id", "due_at")

_ADD_FILING = """
insert into filings (id, matter_code, matter_version, matter_name, region_code, applicant_id, agent_id, state, revision,
                     version, open_cases, content, created_at)
values (cast(:id as uuid), :matter_code, :matter_version, :matter_name, :region_code, :applicant_id, :agent_id,
        'proposed', 1, 1, 0, :content, :created_at)
returning 1"""
_ADD = """
insert into proposals (filing_id, matter_code, source_case_id, source_filing_id, filled, due_at)
values (cast(:filing_id as uuid), :matter_code, cast(:source_case_id as uuid), cast(:source_filing_id as uuid),
        cast(:filled as text[]), :due_at)
returning 1"""
_REFILL = """
update proposals set filled = cast(:filled as text[])
where filing_id = cast(:filing_id as uuid) and ended_at is null
returning 1"""
_END = """
update proposals set ended_at = :at
where filing_id = cast(:filing_id as uuid) and ended_at is null
returning 1"""
# What was copied for a proposal that came to nothing is not kept.
_LET_GO = """
update filings set state = :state, version = :version, closed_at = :closed_at, content = :content, plan = null
where id = cast(:id as uuid) and state = 'proposed' and version = :version - 1
returning 1"""
_DROP_FILES = """
delete from attachments where filing_id = cast(:id as uuid)
returning 1"""
_DUE = text("""
select f.id
from filings as f join proposals as p on p.filing_id = f.id
where p.ended_at is null and p.due_at <= :at
order by p.due_at, f.id
limit :most
for update of f skip locked""")


@dataclass(frozen=True, slots=True)
class Origin:
    """The filing and case that a proposal was made after, as its person knows them."""

    filing_no: str
    matter_code: str
    matter_version: int
    matter_name: str
    case_no: str
    item_name: str


class Proposals:
    """The proposals of filings that the caller has in sight: filings are looked up first."""

    def __init__(self, unit: Transaction) -> None:
        self._unit = unit

    async def is_made(self, source_case_id: str, matter_code: str) -> bool:
        """Whether the case gave cause for this matter's proposal before, whatever became of it."""
        made = select(PROPOSALS.c.filing_id).where(
            PROPOSALS.c.source_case_id == source_case_id, PROPOSALS.c.matter_code == matter_code
        )
        return (await self._unit.connection.execute(made)).first() is not None

    def add(self, made: Proposed, *, matter_name: str) -> None:
        filing = made.filing
        self._unit.write(
            "insert_proposed",
            _ADD_FILING,
            rows=1,
            id=filing.id,
            matter_code=filing.matter_code,
            matter_version=filing.matter_version,
            matter_name=matter_name,
            region_code=filing.region_code,
            applicant_id=filing.applicant_id,
            agent_id=filing.agent_id,
            content=sealed_content(self._unit.keys, made.content, filing.id),
            created_at=filing.created_at,
        )
        self._unit.write(
            "insert_proposal",
            _ADD,
            rows=1,
            filled=list(made.proposal.filled),
            **{name: getattr(made.proposal, name) for name in _FIELDS},
        )

    async def get(self, filing_id: str) -> tuple[Proposal, Origin]:
        """The proposal of a filing with where it comes from."""
        rows = await self._unit.connection.execute(
            select(
                *(PROPOSALS.c[name] for name in (*_FIELDS, "filled")),
                FILINGS.c.no.label("filing_no"),
                FILINGS.c.matter_code.label("origin_code"),
                FILINGS.c.matter_version,
                FILINGS.c.matter_name,
                CASES.c.no.label("case_no"),
                CASES.c.item_name,
            )
            .join(CASES, CASES.c.id == PROPOSALS.c.source_case_id)
            .join(FILINGS, FILINGS.c.id == PROPOSALS.c.source_filing_id)
            .where(PROPOSALS.c.filing_id == filing_id)
        )
        row = rows.one_or_none()
        if row is None:
            raise FilingNotFound(filing_id=filing_id)
        proposal = Proposal(**{name: getattr(row, name) for name in _FIELDS}, filled=tuple(row.filled))
        origin = Origin(
            filing_no=row.filing_no,
            matter_code=row.origin_code,
            matter_version=row.matter_version,
            matter_name=row.matter_name,
            case_no=row.case_no,
            item_name=row.item_name,
        )
        return proposal, origin

    def refill(self, filing_id: str, filled: tuple[str, ...]) -> None:
        """The fields that still stand as they were filled."""
        self._unit.write("refill_proposal", _REFILL, rows=1, filing_id=filing_id, filled=list(filled))

    def end(self, filing_id: str) -> None:
        """Nothing is waited for any more."""
        self._unit.write("end_proposal", _END, rows=1, filing_id=filing_id, at=self._unit.at)

    def let_go(self, filing: Filing) -> None:
        """End a filing that was not confirmed, and forget what was filled in."""
        nothing = sealed_content(self._unit.keys, Content(form={}, answers={}), filing.id)
        self._unit.write(
            "let_go",
            _LET_GO,
            rows=1,
            id=filing.id,
            state=filing.state.value,
            version=filing.version,
            closed_at=filing.closed_at,
            content=nothing,
        )
        self._unit.write("drop_files", _DROP_FILES, rows=None, id=filing.id)
        self.end(filing.id)

    async def due(self, most: int) -> list[Filing]:
        """Proposed filings whose time is over; they stay locked, and what somebody else holds is left."""
        found = await self._unit.connection.execute(_DUE, {"at": self._unit.at, "most": most})
        ids = [row.id for row in found]
        if not ids:
            return []
        rows = await self._unit.connection.execute(
            select(*FILING_COLUMNS).where(FILINGS.c.id.in_(ids)).order_by(FILINGS.c.id)
        )
        return [filing_of(row) for row in rows]
