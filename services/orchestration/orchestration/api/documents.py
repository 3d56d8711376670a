"""Documents: listed, made into a page, and checked by whoever holds one."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Self

from common import web
from fastapi import APIRouter, Path, Response
from pydantic import StringConstraints

from orchestration import usecases
from orchestration.api.access import AppDep, Id, MayCheckDocument, MayReadDocument, MayReadFiling
from orchestration.api.answers import Sentences
from orchestration.api.deliveries import DeliveryAnswer
from orchestration.domain.delivery import Delivery
from orchestration.domain.document import Kind
from orchestration.store.documents import Issued

router = APIRouter()

_PDF = "application/pdf"

DocumentId = Annotated[str, Path(pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")]


class CheckDocument(web.Body):
    """What stands on the paper."""

    no: Annotated[str, StringConstraints(pattern=r"^[0-9]{22}-[A-Z]{2,4}[0-9]{0,6}$")]
    code: Annotated[str, StringConstraints(pattern=r"^[A-Z2-7]{16}$")]


@dataclass(frozen=True, slots=True)
class GenuineAnswer:
    """The head of a genuine document: enough to compare with the paper, nothing about a person."""

    no: str
    kind: Kind
    title: str
    org_name: str
    item_name: str
    issued_at: datetime
    digest: str

    @classmethod
    def of(cls, issued: Issued, sentences: Sentences) -> Self:
        return cls(
            no=issued.no,
            kind=issued.kind,
            title=_title(issued.kind, sentences),
            org_name=issued.org_name,
            item_name=issued.item_name,
            issued_at=issued.issued_at,
            digest=issued.digest,
        )


@dataclass(frozen=True, slots=True)
class DocumentAnswer:
    """A document of one's own filing."""

    document_id: str
    no: str
    code: str
    kind: Kind
    title: str
    case_id: str | None
    org_name: str
    item_name: str
    issued_at: datetime
    digest: str
    # of those that have to reach the applicant: whether this one did
    delivery: DeliveryAnswer | None

    @classmethod
    def of(cls, issued: Issued, sentences: Sentences, delivery: Delivery | None) -> Self:
        return cls(
            document_id=issued.document_id,
            no=issued.no,
            code=issued.code,
            kind=issued.kind,
            title=_title(issued.kind, sentences),
            case_id=issued.case_id,
            org_name=issued.org_name,
            item_name=issued.item_name,
            issued_at=issued.issued_at,
            digest=issued.digest,
            delivery=DeliveryAnswer.of(delivery) if delivery else None,
        )


@router.get("/v1/filings/{filing_id}/documents")
async def list_documents(filing_id: Id, app: AppDep, actor: MayReadFiling) -> list[DocumentAnswer]:
    async with app.store.begin(actor) as tx:
        issued = await usecases.list_documents(tx, filing_id)
        deliveries = await usecases.list_deliveries(tx, filing_id)
    return [DocumentAnswer.of(each, app.sentences, deliveries.get(each.document_id)) for each in issued]


@router.get(
    "/v1/documents/{document_id}.pdf",
    response_class=Response,
    responses={200: {"content": {_PDF: {"schema": {"type": "string", "format": "binary"}}}}},
)
async def read_document(document_id: DocumentId, app: AppDep, actor: MayReadDocument) -> Response:
    async with app.store.begin(actor) as tx:
        written = await usecases.read_document(tx, document_id)
    page = await usecases.page_of(written, app.fonts)
    if actor.post is None:
        async with app.store.begin(actor) as tx:
            await usecases.record_opening(tx, written.issued)
    headers = {"Content-Disposition": f'inline; filename="{written.issued.no}.pdf"'}
    return Response(page, media_type=_PDF, headers=headers)


@router.post("/v1/documents:check")
async def check_document(body: CheckDocument, app: AppDep, actor: MayCheckDocument) -> GenuineAnswer:
    async with app.store.begin(actor) as tx:
        issued = await usecases.check_document(tx, no=body.no, code=body.code)
        return tx.unit.answer(GenuineAnswer.of(issued, app.sentences))


def _title(kind: Kind, sentences: Sentences) -> str:
    return sentences[f"DOCUMENT_{kind.upper()}"]
