"""Documents: issued with the act, made into a page on demand, proved by number and code."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import orjson
import typst

from orchestration.domain.refusals import DocumentUnknown
from orchestration.store import Tx
from orchestration.store.documents import Issued

PAGES_AT_ONCE = 2

# Threads of their own: a page that is being made cannot be stopped, even when nobody waits for it any more, and a lock
# that its caller gives back by going away would count it no longer.
_PRESS = ThreadPoolExecutor(PAGES_AT_ONCE, thread_name_prefix="page")
_TEMPLATES = Path(__file__).parent.parent / "locale"
_ON_DUTY = "handle_case"  # why an officer reads a document who names no other purpose


@dataclass(frozen=True, slots=True)
class Written:
    """A document with all that its page shows."""

    issued: Issued
    content: dict[str, Any]


async def list_documents(tx: Tx, filing_id: str) -> list[Issued]:
    """The documents of the applicant's own filing, oldest first."""
    await tx.filings.read(filing_id)
    return await tx.documents.of_filing(filing_id)


async def read_document(tx: Tx, document_id: str) -> Written:
    """What a document says; the applicant can read that an officer read it."""
    issued, applicant_id, content = await tx.documents.content(document_id)
    if tx.unit.actor.post is not None:
        tx.unit.record(
            "orchestration.read_document",
            subject=("case", issued.case_id) if issued.case_id else ("filing", issued.filing_id),
            owner=applicant_id,
            purpose=tx.unit.actor.call.purpose or _ON_DUTY,
            details={"filing_id": issued.filing_id, "document_id": document_id},
        )
    return Written(issued, content)


async def check_document(tx: Tx, *, no: str, code: str) -> Issued:
    """Tell whether a paper is genuine (文书核验), and nothing of what it says beyond its head."""
    issued = await tx.documents.by_code(code, no)
    if issued is None:
        raise DocumentUnknown
    return issued


async def page_of(written: Written, fonts: Path) -> bytes:
    """Make the page, away from the event loop; the same document always gives the same bytes.

    A few at a time: whoever comes when many are asked for waits, and holds neither a connection nor others' threads.
    """
    return await asyncio.get_running_loop().run_in_executor(_PRESS, _page, written, fonts)


def _page(written: Written, fonts: Path) -> bytes:
    return typst.compile(
        _template(written.content["template"]),
        format="pdf",
        font_paths=_fonts(fonts),
        ignore_system_fonts=True,
        sys_inputs={"document": orjson.dumps(written.content).decode()},
        timestamp=int(written.issued.issued_at.timestamp()),
    )


@lru_cache
def _fonts(folder: Path) -> typst.Fonts:
    return typst.Fonts(include_system_fonts=False, font_paths=[folder])


@lru_cache
def _template(number: int) -> bytes:
    return (_TEMPLATES / f"document_{number}.typ").read_bytes()
