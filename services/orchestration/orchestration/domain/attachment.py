"""Attachments (附件): scans that an applicant uploads where a licence cannot be verified."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256

from orchestration.domain.definition import Definition, Source
from orchestration.domain.refusals import (
    AttachmentEmpty,
    AttachmentKindUnknown,
    AttachmentKindWrong,
    AttachmentNameUnfit,
    AttachmentNotFound,
    AttachmentsTooMany,
    AttachmentTooLarge,
    RequirementUnknown,
    SupplementUnfit,
)

LARGEST = 10 * 1024 * 1024
MOST = 5  # for one requirement


class Kind(StrEnum):
    """What may be uploaded."""

    PDF = "application/pdf"
    JPEG = "image/jpeg"
    PNG = "image/png"


# What files of a kind begin with; what a browser says of them proves nothing.
_SIGNS = {Kind.PDF: b"%PDF-", Kind.JPEG: b"\xff\xd8\xff", Kind.PNG: b"\x89PNG\r\n\x1a\n"}
# A reader's machine opens a file by the ending of its name, whatever the content is.
_ENDINGS = {Kind.PDF: (".pdf",), Kind.JPEG: (".jpg", ".jpeg"), Kind.PNG: (".png",)}


@dataclass(frozen=True, slots=True)
class Attachment:
    """One uploaded file, without its content."""

    attachment_id: str
    filing_id: str
    requirement: str
    name: str
    kind: Kind
    size: int
    digest: bytes
    uploaded_at: datetime


def check_requirement(definition: Definition, requirement: str) -> None:
    """Scans stand for licences; what a form or another item gives is not scanned."""
    if not any(each.code == requirement and each.source is Source.LICENCE for each in definition.requirements):
        raise RequirementUnknown(requirement=requirement)


def attach(
    content: bytes,
    *,
    attachment_id: str,
    filing_id: str,
    requirement: str,
    name: str,
    declared: str,
    present: Sequence[Attachment],
    at: datetime,
    since: datetime | None = None,
) -> Attachment:
    """Take a file for a requirement; the same file again is the one that is there.

    Of a submitted filing, `since` when the requirement is asked for anew: what was there before leaves room for it.
    """
    kind = _kind(content, declared)
    if not name.lower().endswith(_ENDINGS[kind]):
        raise AttachmentNameUnfit(ending=_ENDINGS[kind][0])
    digest = sha256(content).digest()
    beside = [each for each in present if each.requirement == requirement]
    for each in beside:
        if each.digest == digest:
            return each
    if sum(since is None or each.uploaded_at >= since for each in beside) >= MOST:
        raise AttachmentsTooMany(requirement=requirement, most=MOST)
    return Attachment(attachment_id, filing_id, requirement, name, kind, len(content), digest, at)


def name_files(
    present: Sequence[Attachment], named: Collection[str], asked: Collection[str]
) -> dict[str, tuple[str, ...]]:
    """The files that an answer names, by the requirement that they are for; each must be there and asked for."""
    there = {each.attachment_id: each for each in present}
    found: dict[str, tuple[str, ...]] = {}
    for attachment_id in named:
        attachment = there.get(attachment_id)
        if attachment is None:
            raise AttachmentNotFound(attachment_id=attachment_id)
        if attachment.requirement not in asked:
            raise SupplementUnfit(materials=sorted(asked))
        found[attachment.requirement] = (*found.get(attachment.requirement, ()), attachment_id)
    return found


def _kind(content: bytes, declared: str) -> Kind:
    if not content:
        raise AttachmentEmpty
    if len(content) > LARGEST:
        raise AttachmentTooLarge(most=LARGEST)
    for kind, sign in _SIGNS.items():
        if content.startswith(sign):
            if declared != kind.value:
                raise AttachmentKindWrong(kind=kind.value)
            return kind
    raise AttachmentKindUnknown
