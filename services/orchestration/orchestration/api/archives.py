"""The archive: what a department reads of a filing that rests."""

from dataclasses import dataclass
from typing import Self

from fastapi import APIRouter

from orchestration import usecases
from orchestration.api.access import AppDep, Id, MayReadCase
from orchestration.domain.archive import Manifest
from orchestration.store.archives import Archived

router = APIRouter()


@dataclass(frozen=True, slots=True)
class ArchiveAnswer:
    """A manifest, and the digest of it that the journal keeps."""

    digest: str
    manifest: Manifest

    @classmethod
    def of(cls, archived: Archived) -> Self:
        return cls(archived.digest, archived.manifest)


@router.get("/v1/cases/{case_id}/archive")
async def read_archive(case_id: Id, app: AppDep, actor: MayReadCase) -> ArchiveAnswer:
    async with app.store.begin(actor) as tx:
        return ArchiveAnswer.of(await usecases.read_archive(tx, case_id))
