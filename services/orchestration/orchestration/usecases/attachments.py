"""Attachments: uploaded with a draft or when asked for, read by the applicant and by the department that needs them."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from orchestration.domain import attachment as rules
from orchestration.domain import filing as filings
from orchestration.domain.attachment import Attachment
from orchestration.domain.filing import UNSUBMITTED, Dossier
from orchestration.domain.plan import Material
from orchestration.domain.refusals import AttachmentNotFound, FilingAlreadySubmitted
from orchestration.domain.supplements import check_requested
from orchestration.store import Tx

_ON_DUTY = "handle_case"  # why an officer reads a file who names no other purpose


@dataclass(frozen=True, slots=True)
class File:
    """An attachment with its content."""

    attachment: Attachment
    content: bytes


async def attach_file(
    tx: Tx, filing_id: str, content: bytes, *, requirement: str, name: str, declared: str
) -> Attachment:
    """Upload a scan (上传附件): before submission, when the plan is looked at anew, or for what a case asks for."""
    dossier = await tx.filings.read(filing_id, lock=True)
    is_open, since = dossier.filing.state in UNSUBMITTED, None
    if is_open:
        definition = await tx.matters.get(dossier.filing.matter_code, dossier.filing.matter_version)
        rules.check_requirement(definition, requirement)
    else:
        since = check_requested(dossier.filing, requirement)
    attached = rules.attach(
        content,
        attachment_id=str(tx.unit.ids()),
        filing_id=filing_id,
        requirement=requirement,
        name=name,
        declared=declared,
        present=await tx.attachments.of_filing(filing_id),
        at=tx.unit.at,
        since=since,
    )
    if attached.uploaded_at == tx.unit.at and attached.name == name:
        await tx.attachments.keep(attached, content)
        if is_open:
            await _revised(tx, dossier)
        _record(tx, "attach_file", dossier, attached)
    return attached


async def remove_file(tx: Tx, filing_id: str, attachment_id: str) -> Attachment:
    """Take an uploaded file out again; what was handed in stays as it was handed in."""
    dossier = await tx.filings.read(filing_id, lock=True)
    attachment = await tx.attachments.get(filing_id, attachment_id)
    if dossier.filing.state in UNSUBMITTED:
        await _revised(tx, dossier)
    else:
        await _refuse_handed_in(tx, dossier, attachment)
    await tx.attachments.remove(attachment)
    _record(tx, "remove_file", dossier, attachment)
    return attachment


async def list_files(tx: Tx, filing_id: str) -> list[Attachment]:
    """The files of the applicant's own filing."""
    await tx.filings.read(filing_id)
    return await tx.attachments.of_filing(filing_id)


async def read_file(tx: Tx, filing_id: str, attachment_id: str) -> File:
    """One file of the applicant's own filing."""
    await tx.filings.read(filing_id)
    attachment = await tx.attachments.get(filing_id, attachment_id)
    return File(attachment, await tx.attachments.content(attachment))


async def read_case_file(tx: Tx, case_id: str, attachment_id: str) -> File:
    """A file that a case's material is provided by, for its officer; the applicant can read that it was read."""
    file = await tx.cases.read(case_id)
    if not _stands_for(file.case.materials, attachment_id):
        raise AttachmentNotFound(attachment_id=attachment_id)
    attachment = await tx.attachments.get(file.filing_id, attachment_id)
    tx.unit.record(
        "orchestration.read_case_file",
        subject=("case", case_id),
        owner=file.applicant_id,
        purpose=tx.unit.actor.call.purpose or _ON_DUTY,
        details={"filing_id": file.filing_id, "attachment_id": attachment_id, "requirement": attachment.requirement},
    )
    return File(attachment, await tx.attachments.content(attachment))


async def discard_draft(tx: Tx, filing_id: str) -> Dossier:
    """Throw a draft away with everything that was uploaded for it (删除草稿)."""
    dossier = await tx.filings.read(filing_id, lock=True)
    filings.refuse_unless_draft(dossier.filing)
    await tx.filings.discard(filing_id)
    tx.unit.record("orchestration.discard_draft", subject=("filing", filing_id), owner=dossier.filing.applicant_id)
    return dossier


async def _refuse_handed_in(tx: Tx, dossier: Dossier, attachment: Attachment) -> None:
    since = check_requested(dossier.filing, attachment.requirement)
    standing = [each for case in dossier.filing.cases for each in await tx.cases.materials(case.id)]
    if attachment.uploaded_at < since or _stands_for(standing, attachment.attachment_id):
        raise FilingAlreadySubmitted(filing_id=dossier.filing.id)


def _stands_for(materials: Iterable[Material], attachment_id: str) -> bool:
    return any(attachment_id in material.data.get("attachments", ()) for material in materials)


async def _revised(tx: Tx, dossier: Dossier) -> None:
    await tx.filings.revise(replace(dossier.filing, revision=dossier.filing.revision + 1), dossier.content)


def _record(tx: Tx, verb: str, dossier: Dossier, attachment: Attachment) -> None:
    tx.unit.record(
        f"orchestration.{verb}",
        subject=("filing", dossier.filing.id),
        owner=dossier.filing.applicant_id,
        details={
            "attachment_id": attachment.attachment_id,
            "requirement": attachment.requirement,
            "kind": attachment.kind.value,
            "size": attachment.size,
        },
    )
