"""Publishing and reading matters."""

from dataclasses import asdict, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from common.auth import Actor

from orchestration.domain.checks import Problem, check, check_source
from orchestration.domain.definition import Definition
from orchestration.domain.refusals import DefinitionInvalid
from orchestration.events import matter_published
from orchestration.store import Store, Tx
from orchestration.store.matters import Published
from orchestration.usecases.app import Outside
from orchestration.usecases.forms import schema_problem

_LOCAL = ZoneInfo("Asia/Shanghai")


async def publish_matter(store: Store, outside: Outside, actor: Actor, definition: Definition) -> Published:
    """Publish a matter's next version (发布); the content of the newest version again publishes nothing."""
    problems = [*check(definition), *_schemas(definition)]
    if not problems:
        problems = await _source_problems(store, actor, definition)
    if not problems:
        unknown = await outside.verification.unknown_types(actor, definition.licence_types)
        problems = [Problem("LICENCE_TYPE_UNKNOWN", "", {"licence_type": each}) for each in unknown]
    if problems:
        raise DefinitionInvalid(problems=[asdict(problem) for problem in problems])
    async with store.begin(actor) as tx:
        newest = await tx.matters.newest(definition.code)
        if newest is not None and newest.checksum == definition.checksum:
            return tx.unit.answer(newest)
        published = Published(
            code=definition.code,
            version=newest.version + 1 if newest else 1,
            name=definition.name,
            effective_from=definition.effective_from,
            checksum=definition.checksum,
            published_at=tx.unit.at,
        )
        await tx.matters.add(definition, published)
        tx.unit.emit(matter_published(published.code, published.version, tx.unit.at))
        tx.unit.record(
            "orchestration.publish_matter",
            subject=("matter", published.code),
            details={"version": published.version, "checksum": published.checksum},
        )
        return tx.unit.answer(published)


async def list_matters(tx: Tx) -> list[Published]:
    """The matters in effect today."""
    return await tx.matters.in_effect(local_day(tx.unit.at))


async def read_matter(tx: Tx, code: str) -> tuple[Definition, int]:
    """The version of a matter in effect today."""
    return await tx.matters.effective(code, local_day(tx.unit.at))


def local_day(at: datetime) -> Any:
    """The day that an office's calendar shows."""
    return at.astimezone(_LOCAL).date()


async def _source_problems(store: Store, actor: Actor, definition: Definition) -> list[Problem]:
    """A proposal is checked against the newest version of the matter that it is made after."""
    if definition.proposed_by is None:
        return []
    looking = replace(actor, call=replace(actor.call, idempotency_key=None))
    async with store.begin(looking) as tx:
        newest = await tx.matters.newest(definition.proposed_by.matter)
        source = await tx.matters.get(newest.code, newest.version) if newest else None
    return list(check_source(definition, source))


def _schemas(definition: Definition) -> list[Problem]:
    schemas = {"form": definition.form}
    schemas |= {f"items.{item.code}.result.fields": item.result.fields for item in definition.items if item.result}
    found = {where: schema_problem(schema) for where, schema in schemas.items()}
    return [Problem("SCHEMA_MALFORMED", where, {"path": path}) for where, path in found.items() if path]
