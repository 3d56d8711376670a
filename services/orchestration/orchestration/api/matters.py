"""Matters: published by the bureau, read by everyone."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Self

from fastapi import APIRouter, Body

from orchestration import usecases
from orchestration.api.access import AppDep, Code, MayPublish, MayReadMatter
from orchestration.domain.definition import Definition, Subject
from orchestration.store.matters import Published

router = APIRouter()


@dataclass(frozen=True, slots=True)
class MatterAnswer:
    """The version of a matter in effect, as a form is made from it."""

    version: int
    code: str
    name: str
    subject: Subject
    lead_department: str
    form: Mapping[str, Any]
    determinants: list[dict[str, Any]]
    people: list[dict[str, Any]]
    items: list[dict[str, Any]]
    requirements: list[dict[str, Any]]

    @classmethod
    def of(cls, definition: Definition, version: int) -> Self:
        return cls(
            version=version,
            code=definition.code,
            name=definition.name,
            subject=definition.subject,
            lead_department=definition.lead_department,
            form=definition.form,
            determinants=[
                {
                    "code": d.code,
                    "question": d.question,
                    "values": [{"value": c.value, "name": c.name} for c in d.values],
                }
                for d in definition.determinants
            ],
            people=[{"code": role.code, "name": role.name, "field": role.field} for role in definition.people],
            items=[
                {
                    "code": item.code,
                    "item_code": item.item_code,
                    "name": item.name,
                    "department": item.department,
                    "handling": item.handling,
                    "promised_days": item.promised_days,
                    "statutory_days": item.statutory_days,
                    "depends_on": [dependency.item for dependency in item.depends_on],
                    "result": item.result.name if item.result else None,
                }
                for item in definition.items
            ],
            requirements=[
                {"code": each.code, "name": each.name, "source": each.source} for each in definition.requirements
            ],
        )


@router.post("/v1/matters")
async def publish_matter(definition: Annotated[Definition, Body()], app: AppDep, actor: MayPublish) -> Published:
    return await usecases.publish_matter(app.store, app.outside, actor, definition)


@router.get("/v1/matters")
async def list_matters(app: AppDep, actor: MayReadMatter) -> dict[str, list[Published]]:
    async with app.store.begin(actor) as tx:
        return {"items": await usecases.list_matters(tx)}


@router.get("/v1/matters/{code}")
async def read_matter(code: Code, app: AppDep, actor: MayReadMatter) -> MatterAnswer:
    async with app.store.begin(actor) as tx:
        return MatterAnswer.of(*await usecases.read_matter(tx, code))
