"""Attachments: the applicant uploads and reads them, the department reads those of its case."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Self
from urllib.parse import quote

from common import web
from common.web.door import LIMIT
from fastapi import APIRouter, Query, Request, Response
from pydantic import StringConstraints
from starlette.types import ASGIApp, Receive, Scope, Send

from orchestration import usecases
from orchestration.api.access import AppDep, Id, MayFile, MayReadCase, MayReadFiling
from orchestration.domain.attachment import LARGEST, Attachment, Kind
from orchestration.usecases.attachments import File

router = APIRouter()

_UPLOADS = re.compile(r"/v1/filings/[^/]+/attachments")
_CONTENT: dict[str, Any] = {kind.value: {"schema": {"type": "string", "format": "binary"}} for kind in Kind}


class Upload(web.Body):
    """What is uploaded: for which requirement, and what the file is called."""

    requirement: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
    name: web.Text


class LargerUploads:
    """Lets a request that uploads a file be larger than any other; stands before the door."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "POST" and _UPLOADS.fullmatch(scope["path"]):
            scope[LIMIT] = LARGEST
        await self._app(scope, receive, send)


@dataclass(frozen=True, slots=True)
class AttachmentAnswer:
    """An uploaded file."""

    attachment_id: str
    filing_id: str
    requirement: str
    name: str
    kind: Kind
    size: int
    sha256: str
    uploaded_at: datetime

    @classmethod
    def of(cls, attachment: Attachment) -> Self:
        return cls(
            attachment_id=attachment.attachment_id,
            filing_id=attachment.filing_id,
            requirement=attachment.requirement,
            name=attachment.name,
            kind=attachment.kind,
            size=attachment.size,
            sha256=attachment.digest.hex(),
            uploaded_at=attachment.uploaded_at,
        )


@dataclass(frozen=True, slots=True)
class DiscardedAnswer:
    """A draft that is no more."""

    filing_id: str


@router.post("/v1/filings/{filing_id}/attachments", openapi_extra={"requestBody": {"content": _CONTENT}})
async def attach_file(
    filing_id: Id, upload: Annotated[Upload, Query()], request: Request, app: AppDep, actor: MayFile
) -> AttachmentAnswer:
    content, declared = await request.body(), request.headers.get("content-type", "")
    async with app.store.begin(actor) as tx:
        attached = await usecases.attach_file(
            tx, filing_id, content, requirement=upload.requirement, name=upload.name, declared=declared
        )
        return tx.unit.answer(AttachmentAnswer.of(attached))


@router.get("/v1/filings/{filing_id}/attachments")
async def list_files(filing_id: Id, app: AppDep, actor: MayReadFiling) -> list[AttachmentAnswer]:
    async with app.store.begin(actor) as tx:
        return [AttachmentAnswer.of(each) for each in await usecases.list_files(tx, filing_id)]


@router.get(
    "/v1/filings/{filing_id}/attachments/{attachment_id}",
    response_class=Response,
    responses={200: {"content": _CONTENT}},
)
async def read_file(filing_id: Id, attachment_id: Id, app: AppDep, actor: MayReadFiling) -> Response:
    async with app.store.begin(actor) as tx:
        return _download(await usecases.read_file(tx, filing_id, attachment_id))


@router.delete("/v1/filings/{filing_id}/attachments/{attachment_id}")
async def remove_file(filing_id: Id, attachment_id: Id, app: AppDep, actor: MayFile) -> AttachmentAnswer:
    async with app.store.begin(actor) as tx:
        return tx.unit.answer(AttachmentAnswer.of(await usecases.remove_file(tx, filing_id, attachment_id)))


@router.delete("/v1/filings/{filing_id}")
async def discard_draft(filing_id: Id, app: AppDep, actor: MayFile) -> DiscardedAnswer:
    async with app.store.begin(actor) as tx:
        await usecases.discard_draft(tx, filing_id)
        return tx.unit.answer(DiscardedAnswer(filing_id))


@router.get(
    "/v1/cases/{case_id}/attachments/{attachment_id}",
    response_class=Response,
    responses={200: {"content": _CONTENT}},
)
async def read_case_file(case_id: Id, attachment_id: Id, app: AppDep, actor: MayReadCase) -> Response:
    async with app.store.begin(actor) as tx:
        return _download(await usecases.read_case_file(tx, case_id, attachment_id))


def _download(file: File) -> Response:
    name = quote(file.attachment.name, safe="")
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{name}",
        # A file comes from outside: nothing in it may run as a page of ours.
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }
    return Response(file.content, media_type=file.attachment.kind.value, headers=headers)
