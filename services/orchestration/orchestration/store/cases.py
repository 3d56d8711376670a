"""Cases as officers read them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from common.scope import region_prefix, visible
from common.transaction import Transaction
from sqlalchemy import or_, select, text

from orchestration.domain.case import Case, Clocks, Status
from orchestration.domain.filing import Content
from orchestration.domain.plan import Material
from orchestration.domain.refusals import CaseNotFound
from orchestration.domain.watch import Alarm
from orchestration.store.case_list import page_of, tops_of
from orchestration.store.deliveries import undelivered_column
from orchestration.store.rows import CASE_COLUMNS, CASES, FILINGS, MATERIALS, case_of, clocks_of, content_of, open_json
from orchestration.store.watches import alarmed_column, alarms_column, alarms_of


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a decided case gave: its licence, the fields that were entered, or why it was refused."""

    licence_id: str | None
    result: dict[str, Any] | None
    explanation: str | None


@dataclass(frozen=True, slots=True)
class CaseFile:
    """A case with what its officer decides on."""

    case: Case
    filing_id: str
    matter_code: str
    matter_version: int
    matter_name: str
    applicant_id: str
    content: Content
    outcome: Outcome
    alarms: tuple[Alarm, ...] = ()


@dataclass(frozen=True, slots=True)
class CaseLine:
    """A case in a list."""

    case_id: str
    case_no: str
    filing_id: str
    matter_code: str
    item: str
    item_name: str
    org_path: str
    region_code: str
    status: Status
    version: int
    created_at: datetime
    ready_at: datetime | None
    accepted_at: datetime | None
    decided_at: datetime | None
    promised_due_at: datetime | None
    statutory_due_at: datetime | None
    clocks: Clocks
    evidence_changed: bool = False
    undelivered: bool = False


_LINE = [
    CASES.c.id.label("case_id"),
    CASES.c.no.label("case_no"),
    *(CASES.c[name] for name in CaseLine.__slots__[2:-2]),
]
_LAST = UUID(int=2**128 - 1)


class Cases:
    """The cases that the actor's post may see."""

    def __init__(self, unit: Transaction) -> None:
        self._unit = unit

    async def read(self, case_id: str) -> CaseFile:
        rows = await self._unit.connection.execute(
            select(
                *CASE_COLUMNS,
                CASES.c.materials,
                CASES.c.due,
                CASES.c.filing_id,
                CASES.c.applicant_id,
                CASES.c.result,
                CASES.c.explanation,
                FILINGS.c.matter_code,
                FILINGS.c.matter_version,
                FILINGS.c.matter_name,
                FILINGS.c.content,
                alarms_column(case_id, self._unit.at),
            )
            .join(FILINGS, CASES.c.filing_id == FILINGS.c.id)
            .where(CASES.c.id == case_id, self._in_sight)
        )
        row = rows.one_or_none()
        if row is None:
            raise CaseNotFound(case_id=case_id)
        return CaseFile(
            case=case_of(row),
            filing_id=row.filing_id,
            matter_code=row.matter_code,
            matter_version=row.matter_version,
            matter_name=row.matter_name,
            applicant_id=row.applicant_id,
            content=content_of(self._unit.keys, row.content, row.filing_id),
            outcome=Outcome(row.licence_id, self._result(row), self._explanation(row)),
            alarms=alarms_of(row.alarms) if row.decided_at is None else (),
        )

    async def materials(self, case_id: str) -> tuple[Material, ...]:
        """The materials of a case as they stand. Who may know is the caller's question."""
        rows = await self._unit.connection.execute(select(CASES.c.materials).where(CASES.c.id == case_id))
        return MATERIALS.validate_python(rows.scalar_one())

    async def outcomes(self, filing_id: str) -> dict[str, Outcome]:
        """What the cases of a filing gave, by item. Who may know is the caller's question."""
        rows = await self._unit.connection.execute(
            select(CASES.c.id, CASES.c.item, CASES.c.licence_id, CASES.c.result, CASES.c.explanation).where(
                CASES.c.filing_id == filing_id,
                or_(CASES.c.decided_at.is_not(None), CASES.c.explanation.is_not(None)),
            )
        )
        return {row.item: Outcome(row.licence_id, self._result(row), self._explanation(row)) for row in rows}

    async def page(self, *, status: Status | None, undelivered: bool, after: UUID | None, size: int) -> list[CaseLine]:
        """Cases in sight or below along the line, newest first and one more than asked."""
        post = self._unit.actor.post
        if post is None:
            return []
        chosen = text(page_of(size + 1, of_status=status is not None, undelivered=undelivered)).bindparams(
            tops=tops_of(post),
            region=region_prefix(post.region_code),
            after=str(after or _LAST),
            **({"status": status.value} if status else {}),
        )
        page = chosen.columns(CASES.c.id).cte("page")
        rows = await self._unit.connection.execute(
            select(*_LINE, alarmed_column(self._unit.at), undelivered_column())
            .join(page, page.c.id == CASES.c.id)
            .order_by(CASES.c.id.desc())
        )
        return [
            CaseLine(**{**read, "status": Status(read["status"]), "clocks": clocks_of(read["clocks"])})
            for read in rows.mappings()
        ]

    @property
    def _in_sight(self) -> Any:
        return visible(self._unit.actor, region=CASES.c.region_code, org=CASES.c.org_path)

    def _result(self, row: Any) -> dict[str, Any] | None:
        if row.result is None:
            return None
        result: dict[str, Any] = open_json(self._unit.keys, row.result, bound=f"cases.result:{row.id}")
        return result

    def _explanation(self, row: Any) -> str | None:
        if row.explanation is None:
            return None
        return self._unit.keys.open(row.explanation, bound=f"cases.explanation:{row.id}").decode()
