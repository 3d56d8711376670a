"""Documents: what they say is sealed and never changes; the page is made of it whenever it is asked for."""

from base64 import b32encode
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

import orjson
from common.transaction import Transaction
from sqlalchemy import select

from orchestration.domain.document import Document, Kind
from orchestration.domain.refusals import DocumentNotFound
from orchestration.models import DocumentRow
from orchestration.store.agents import in_sight
from orchestration.store.rows import CASES

DOCUMENTS: Any = DocumentRow.__table__  # type: ignore[attr-defined]

_ADD = """
insert into documents (document_id, no, code, kind, case_id, filing_id, applicant_id, org_name, item_name, content,
                       digest, issued_at)
values (cast(:document_id as uuid), :no, :code, :kind, cast(:case_id as uuid), cast(:filing_id as uuid),
        :applicant_id, :org_name, :item_name, :content, :digest, cast(:issued_at as timestamptz))
returning 1"""


@dataclass(frozen=True, slots=True)
class Issued:
    """A document as a list or a check shows it."""

    document_id: str
    no: str
    code: str
    kind: Kind
    case_id: str | None
    filing_id: str
    org_name: str
    item_name: str
    digest: str
    issued_at: datetime


class Documents:
    """The documents of filings."""

    def __init__(self, unit: Transaction) -> None:
        self._unit = unit

    def add(self, document: Document) -> None:
        keys, name = self._unit.keys, document.document_id
        # Nobody can guess a code without the key: it is what a reader of the paper has and others have not.
        code = b32encode(keys.blind(name, field="documents.code")[:10]).decode()
        content = orjson.dumps({**document.content, "code": code}, option=orjson.OPT_SORT_KEYS)
        self._unit.write(
            "add_document",
            _ADD,
            rows=1,
            document_id=name,
            no=document.no,
            code=code,
            kind=document.kind.value,
            case_id=document.case_id,
            filing_id=document.filing_id,
            applicant_id=document.applicant_id,
            org_name=document.org_name,
            item_name=document.item_name,
            content=keys.seal(content, bound=f"documents.content:{name}"),
            digest=sha256(content).hexdigest(),
            issued_at=document.issued_at,
        )

    async def of_filing(self, filing_id: str) -> list[Issued]:
        rows = await self._unit.connection.execute(
            self._issued.where(DOCUMENTS.c.filing_id == filing_id).order_by(DOCUMENTS.c.document_id)
        )
        return [_issued(row) for row in rows]

    async def by_code(self, code: str, no: str) -> Issued | None:
        """The document that a paper claims to be; to whoever holds the paper, whoever that is."""
        rows = await self._unit.connection.execute(self._issued.where(DOCUMENTS.c.code == code, DOCUMENTS.c.no == no))
        row = rows.one_or_none()
        return _issued(row) if row else None

    async def content(self, document_id: str) -> tuple[Issued, str, dict[str, Any]]:
        """What a document of the applicant's own, or of a case in the post's sight, says; and whose it is."""
        seen = in_sight(
            self._unit.actor,
            owner=DOCUMENTS.c.applicant_id,
            matter=CASES.c.matter_code,
            region=CASES.c.region_code,
            org=CASES.c.org_path,
        )
        rows = await self._unit.connection.execute(
            select(DOCUMENTS)
            .outerjoin(CASES, CASES.c.id == DOCUMENTS.c.case_id)
            .where(DOCUMENTS.c.document_id == document_id, seen)
        )
        row = rows.one_or_none()
        if row is None:
            raise DocumentNotFound(document_id=document_id)
        content = self._unit.keys.open(row.content, bound=f"documents.content:{document_id}")
        return _issued(row), row.applicant_id, orjson.loads(content)

    @property
    def _issued(self) -> Any:
        return select(*(DOCUMENTS.c[name] for name in Issued.__slots__))


def _issued(row: Any) -> Issued:
    values = {name: getattr(row, name) for name in Issued.__slots__}
    return Issued(**{**values, "kind": Kind(row.kind)})
