"""Licence types in the database."""

from collections.abc import Sequence
from datetime import date

import orjson
from common.transaction import Transaction
from sqlalchemy import Row, select
from sqlalchemy.dialects.postgresql import distinct_on

from verification.domain.identifier import LicenceTypeCode
from verification.domain.licence_type import FaceField, FieldKind, HolderKind, LicenceType
from verification.domain.refusals import LicenceTypeNotFound, LicenceTypeUnknown
from verification.models import licence_types as types

ADD = """
    INSERT INTO licence_types
        (code, version, name, defining_body, holder_kind, face_fields, validity_years, effective_from, published_at)
    VALUES (:code, CAST(:version AS integer), :title, :defining_body, :holder_kind, CAST(:face_fields AS jsonb),
        CAST(:validity_years AS integer), CAST(:effective_from AS date), CAST(:published_at AS timestamptz))
    ON CONFLICT DO NOTHING
    RETURNING 1
"""


class LicenceTypes:
    """Versions of licence types: added, never changed."""

    def __init__(self, unit: Transaction) -> None:
        self._unit = unit

    async def latest(self, code: LicenceTypeCode) -> LicenceType | None:
        """Find the last version published, in force or not yet."""
        statement = select(types).where(types.c.code == code).order_by(types.c.version.desc()).limit(1)
        row = (await self._unit.connection.execute(statement)).one_or_none()
        return None if row is None else type_of(row)

    async def get(self, code: LicenceTypeCode, *, on: date) -> LicenceType:
        """Find the version in force on a day, for a reader."""
        found = await self.in_force([code], on=on)
        if not found:
            raise LicenceTypeNotFound(licence_type=code)
        return found[0]

    async def named(self, code: LicenceTypeCode, *, on: date) -> LicenceType:
        """Find the version in force on a day, for a request that names it."""
        found = await self.in_force([code], on=on)
        if not found:
            raise LicenceTypeUnknown(licence_type=code)
        return found[0]

    async def in_force(self, codes: Sequence[str] | None, *, on: date) -> list[LicenceType]:
        """Find the versions in force on a day, of these types or of all."""
        statement = (
            select(types)
            .ext(distinct_on(types.c.code))
            .where(types.c.effective_from <= on)
            .order_by(types.c.code, types.c.version.desc())
        )
        if codes is not None:
            statement = statement.where(types.c.code.in_(codes))
        return [type_of(row) for row in await self._unit.connection.execute(statement)]

    def add(self, licence_type: LicenceType) -> None:
        """Add a version; of two who add the same one, the later is told to look again."""
        self._unit.write(
            "add_type",
            ADD,
            rows=1,
            code=licence_type.code,
            version=licence_type.version,
            title=licence_type.name,
            defining_body=licence_type.defining_body,
            holder_kind=licence_type.holder_kind.value,
            face_fields=orjson.dumps(list(licence_type.face_fields)).decode(),
            validity_years=licence_type.validity_years,
            effective_from=licence_type.effective_from,
            published_at=self._unit.at,
        )


def type_of(row: Row[tuple[object, ...]]) -> LicenceType:
    """Read a licence type from a row that carries its columns."""
    fields = row._mapping  # noqa: SLF001 - SQLAlchemy's own name for a row's columns
    return LicenceType(
        code=LicenceTypeCode(fields[types.c.code]),
        version=fields[types.c.version],
        name=fields[types.c.name],
        defining_body=fields[types.c.defining_body],
        holder_kind=HolderKind(fields[types.c.holder_kind]),
        face_fields=tuple(
            FaceField(field["code"], field["title"], FieldKind(field["kind"]), field["required"])
            for field in fields[types.c.face_fields]
        ),
        validity_years=fields[types.c.validity_years],
        effective_from=fields[types.c.effective_from],
    )
