"""The archive: which filings may go there, and the sealed manifests of those that rest."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from common.scope import visible
from common.transaction import Transaction
from pydantic import TypeAdapter
from sqlalchemy import column, select, table, text

from orchestration.domain.archive import Manifest, digest_of
from orchestration.domain.refusals import ArchiveNotFound
from orchestration.models import ArchiveRow
from orchestration.store.operations import about
from orchestration.store.rows import CASES

ARCHIVES: Any = ArchiveRow.__table__  # type: ignore[attr-defined]
_MANIFEST = TypeAdapter(Manifest)
_ACTS = ("id", "at", "act", "actor_kind", "actor_id", "post_id", "subject_kind", "subject_id", "purpose", "details")
_journal: Any = table("journal", *map(column, _ACTS))

# Those that are old enough; whether nothing is on its way any more, the rule tells once the filing is locked.
# What no matter lets go yet is not passed by.
_CLOSED = text("""
select f.id
from filings as f join matters as m on m.code = f.matter_code and m.version = f.matter_version
where f.state = 'closed'
  and f.closed_at <= cast(:at as timestamptz) - make_interval(days => (select min(archive_days) from matters))
  and f.closed_at <= cast(:at as timestamptz) - make_interval(days => m.archive_days)
  and not exists (select from deliveries as d
                  where d.filing_id = f.id and d.delivered_at is null and d.due_at > :at)
  and not exists (select from calls as k where k.filing_id = f.id and k.state <> 'done')
order by f.closed_at, f.id
limit :most""")
_ADD = """
insert into archives (filing_id, manifest, digest, archived_at)
values (cast(:filing_id as uuid), :manifest, :digest, :archived_at)
returning 1"""


@dataclass(frozen=True, slots=True)
class Archived:
    """A manifest with its digest, which the journal keeps as well."""

    manifest: Manifest
    digest: str


class Archives:
    """The filings that rest."""

    def __init__(self, unit: Transaction) -> None:
        self._unit = unit

    async def closed(self, most: int) -> list[str]:
        """Filings that have been closed for as long as their matter says, and that nothing seems to hold up."""
        rows = await self._unit.connection.execute(_CLOSED, {"at": self._unit.at, "most": most})
        return [str(row.id) for row in rows]

    async def journal(self, filing_id: str) -> list[Mapping[str, Any]]:
        """All acts on a filing and its cases, oldest first."""
        rows = await self._unit.connection.execute(
            select(_journal).where(about(_journal, filing_id)).order_by(_journal.c.at, _journal.c.id)
        )
        return [{**row, "id": str(row["id"])} for row in rows.mappings()]

    def add(self, manifest: Manifest) -> str:
        """Keep a manifest; tells its digest."""
        written = _MANIFEST.dump_python(manifest, mode="json")
        digest = digest_of(written)
        self._unit.write(
            "add_archive",
            _ADD,
            rows=1,
            filing_id=manifest.filing_id,
            manifest=self._unit.keys.seal(_MANIFEST.dump_json(manifest), bound=_bound(manifest.filing_id)),
            digest=digest,
            archived_at=manifest.archived_at,
        )
        return digest

    async def of_case(self, case_id: str) -> Archived:
        """The manifest of the filing of a case in the post's sight."""
        seen = visible(self._unit.actor, region=CASES.c.region_code, org=CASES.c.org_path)
        rows = await self._unit.connection.execute(
            select(ARCHIVES).join(CASES, CASES.c.filing_id == ARCHIVES.c.filing_id).where(CASES.c.id == case_id, seen)
        )
        row = rows.one_or_none()
        if row is None:
            raise ArchiveNotFound(case_id=case_id)
        opened = self._unit.keys.open(row.manifest, bound=_bound(row.filing_id))
        return Archived(_MANIFEST.validate_json(opened), row.digest)


def _bound(filing_id: str) -> str:
    return f"archives.manifest:{filing_id}"
