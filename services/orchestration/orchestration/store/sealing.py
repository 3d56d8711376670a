"""Every sealed column of the service: what `reseal` seals anew."""

from typing import Any

from common import idempotency
from sealing import Sealed

from orchestration.models import CallRow
from orchestration.store.archives import ARCHIVES
from orchestration.store.attachments import ATTACHMENTS, PIECES
from orchestration.store.corrections import CORRECTIONS
from orchestration.store.deliveries import DELIVERIES
from orchestration.store.documents import DOCUMENTS
from orchestration.store.rows import CASES, FILINGS
from orchestration.store.watches import WATCHES

CALLS: Any = CallRow.__table__  # type: ignore[attr-defined]

SEALED = (
    Sealed(FILINGS, "content"),
    Sealed(CASES, "result"),
    Sealed(CASES, "explanation"),
    Sealed(CALLS, "payload"),
    Sealed(ATTACHMENTS, "name"),
    Sealed(PIECES, "content"),
    Sealed(DOCUMENTS, "content"),
    Sealed(DELIVERIES, "proof"),
    Sealed(CORRECTIONS, "content"),
    Sealed(ARCHIVES, "manifest"),
    # one explanation for all that one decision acknowledges
    Sealed(WATCHES, "acknowledgement", bound="evidence_watches.acknowledgement:{0}"),
    idempotency.ANSWERS,
)
