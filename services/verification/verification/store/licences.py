"""Licences, their versions and their holders in the database. Faces are sealed, each to its own version."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import orjson
from common.paging import Page, cut, decode
from common.permissions import Caller
from common.scope import visible
from common.transaction import Transaction
from sqlalchemy import ColumnElement, Row, Select, func, select, text
from sqlalchemy.dialects.postgresql import aggregate_order_by

from verification.domain.identifier import LicenceTypeCode
from verification.domain.licence import Issuer, Licence, State
from verification.domain.reading import LicenceFile, PastVersion
from verification.domain.refusals import LicenceNotFound
from verification.models import licence_holders as holders
from verification.models import licence_types as types
from verification.models import licence_versions as versions
from verification.models import licences
from verification.store.licence_types import type_of

NEXT_SERIAL = text("""
    INSERT INTO licence_serials (licence_type, issuer_uscc, last) VALUES (:licence_type, :issuer_uscc, 1)
    ON CONFLICT (licence_type, issuer_uscc) DO UPDATE SET last = licence_serials.last + 1
    RETURNING last
""")
LOCK_REQUEST = text("SELECT pg_advisory_xact_lock(hashtextextended(:request_id, 0))")
ADD = """
    INSERT INTO licences
        (licence_id, request_id, licence_type, issuer_uscc, org_id, org_path, region_code, serial, version)
    VALUES (CAST(:licence_id AS uuid), :request_id, :licence_type, :issuer_uscc, CAST(:org_id AS uuid), :org_path,
        :region_code, :serial, CAST(:version AS integer))
    RETURNING 1
"""
ADD_HOLDERS = """
    INSERT INTO licence_holders (licence_id, person_id, position, licence_type)
    SELECT CAST(:licence_id AS uuid), person_id, position, :licence_type
    FROM unnest(CAST(:person_ids AS uuid[])) WITH ORDINALITY AS holder (person_id, position)
    RETURNING 1
"""
ADD_VERSION = """
    INSERT INTO licence_versions
        (licence_id, version, type_version, identifier, state, valid_from, valid_until, face, issued_at)
    VALUES (CAST(:licence_id AS uuid), CAST(:version AS integer), CAST(:type_version AS integer), :identifier, 'valid',
        CAST(:valid_from AS date), CAST(:valid_until AS date), CAST(:face AS bytea), CAST(:issued_at AS timestamptz))
    RETURNING 1
"""
ADVANCE = """
    UPDATE licences SET version = version + 1
    WHERE licence_id = CAST(:licence_id AS uuid) AND version = CAST(:version AS integer)
    RETURNING 1
"""
SUPERSEDE = """
    UPDATE licence_versions SET state = 'superseded'
    WHERE licence_id = CAST(:licence_id AS uuid) AND version = CAST(:version AS integer) AND state = 'valid'
    RETURNING 1
"""
VOID = """
    UPDATE licence_versions
    SET state = :state, void_explanation = CAST(:explanation AS bytea), void_at = CAST(:void_at AS timestamptz)
    WHERE licence_id = CAST(:licence_id AS uuid) AND version = CAST(:version AS integer) AND state = 'valid'
    RETURNING 1
"""

# The holders of a licence, in the order they were named.
HOLDER_IDS = (
    select(func.array_agg(aggregate_order_by(holders.c.person_id, holders.c.position)))
    .where(holders.c.licence_id == licences.c.licence_id)
    .scalar_subquery()
    .label("holder_ids")
)
FILES = (
    select(licences, versions, types, HOLDER_IDS)
    .join_from(
        licences,
        versions,
        (versions.c.licence_id == licences.c.licence_id) & (versions.c.version == licences.c.version),
    )
    .join(types, (types.c.code == licences.c.licence_type) & (types.c.version == versions.c.type_version))
)


class Licences:
    """The library as the actor may see it."""

    def __init__(self, unit: Transaction) -> None:
        self._unit = unit

    async def issued_for(self, request_id: str) -> LicenceFile | None:
        """Find what a request was answered with; of two at once, the second waits for the first."""
        await self._unit.connection.execute(LOCK_REQUEST, {"request_id": request_id})
        return await self._one(FILES.where(licences.c.request_id == request_id))

    async def next_serial(self, licence_type: LicenceTypeCode, issuer_uscc: str) -> str:
        """Take the next serial within a type and an issuer."""
        last = await self._unit.connection.scalar(
            NEXT_SERIAL, {"licence_type": licence_type, "issuer_uscc": issuer_uscc}
        )
        return f"{last:010d}"

    async def get(self, licence_id: UUID) -> LicenceFile:
        """Load one licence that the actor may see."""
        found = await self._one(FILES.where(licences.c.licence_id == licence_id, self._mine()))
        if found is None:
            raise LicenceNotFound(licence_id=str(licence_id))
        return found

    async def lock(self, licence_id: UUID) -> LicenceFile:
        """Load one licence, to change it; its current version is read after the lock is held."""
        seen = select(licences.c.licence_id).where(licences.c.licence_id == licence_id, self._mine())
        if await self._unit.connection.scalar(seen.with_for_update()) is None:
            raise LicenceNotFound(licence_id=str(licence_id))
        return await self.get(licence_id)

    async def page(
        self, *, licence_type: LicenceTypeCode | None = None, cursor: str | None, size: int
    ) -> Page[LicenceFile]:
        """List the licences that the actor may see, the latest issued first."""
        statement = FILES.where(self._mine()).order_by(licences.c.licence_id.desc()).limit(size + 1)
        if licence_type is not None:
            statement = statement.where(licences.c.licence_type == licence_type)
        if cursor:
            statement = statement.where(licences.c.licence_id < decode(cursor, UUID)[0])
        rows = await self._unit.connection.execute(statement)
        return cut([self._file(row) for row in rows], size, lambda file: (file.licence.licence_id,))

    async def past_versions(self, licence: Licence) -> list[PastVersion]:
        """List the versions that were replaced, the latest first."""
        statement = (
            select(versions)
            .where(versions.c.licence_id == licence.licence_id, versions.c.version < licence.version)
            .order_by(versions.c.version.desc())
        )
        return [
            PastVersion(row.version, row.identifier, row.valid_from, row.valid_until, row.issued_at)
            for row in await self._unit.connection.execute(statement)
        ]

    def add(self, licence: Licence, face: Mapping[str, str], *, request_id: str) -> None:
        """Keep a new licence."""
        self._unit.write(
            "add_licence",
            ADD,
            rows=1,
            licence_id=licence.licence_id,
            request_id=request_id,
            licence_type=licence.licence_type,
            issuer_uscc=licence.issuer.uscc,
            org_id=licence.issuer.org_id,
            org_path=licence.issuer.org_path,
            region_code=licence.issuer.region_code,
            serial=licence.serial,
            version=licence.version,
        )
        self._unit.write(
            "add_holders",
            ADD_HOLDERS,
            rows=len(licence.holders),
            licence_id=licence.licence_id,
            licence_type=licence.licence_type,
            person_ids=list(licence.holders),
        )
        self._add_version(licence, face)

    def renew(self, licence: Licence, face: Mapping[str, str]) -> None:
        """Keep a renewed licence: its new version beside the one it replaced."""
        replaced = {"licence_id": licence.licence_id, "version": licence.version - 1}
        self._unit.write("advance", ADVANCE, rows=1, **replaced)
        self._unit.write("supersede", SUPERSEDE, rows=1, **replaced)
        self._add_version(licence, face)

    def void(self, licence: Licence, *, explanation: str) -> None:
        """Keep that the current version became void, and why."""
        bound = f"licence_versions.void_explanation:{licence.licence_id}:{licence.version}"
        self._unit.write(
            "void",
            VOID,
            rows=1,
            licence_id=licence.licence_id,
            version=licence.version,
            state=licence.recorded.value,
            explanation=self._unit.keys.seal(explanation.encode(), bound=bound),
            void_at=self._unit.at,
        )

    def _add_version(self, licence: Licence, face: Mapping[str, str]) -> None:
        self._unit.write(
            "add_version",
            ADD_VERSION,
            rows=1,
            licence_id=licence.licence_id,
            version=licence.version,
            type_version=licence.type_version,
            identifier=licence.identifier,
            valid_from=licence.valid_from,
            valid_until=licence.valid_until,
            face=self._unit.keys.seal(orjson.dumps(dict(face)), bound=_face_of(licence.licence_id, licence.version)),
            issued_at=licence.issued_at,
        )

    async def _one(self, statement: Select[Any]) -> LicenceFile | None:
        row = (await self._unit.connection.execute(statement)).one_or_none()
        return None if row is None else self._file(row)

    def _file(self, row: Row[Any]) -> LicenceFile:
        fields = row._mapping  # noqa: SLF001 - SQLAlchemy's own name for a row's columns
        licence = Licence(
            licence_id=fields[licences.c.licence_id],
            licence_type=LicenceTypeCode(fields[licences.c.licence_type]),
            type_version=fields[versions.c.type_version],
            issuer=Issuer(
                uscc=fields[licences.c.issuer_uscc],
                org_id=fields[licences.c.org_id],
                org_path=fields[licences.c.org_path],
                region_code=fields[licences.c.region_code],
            ),
            serial=fields[licences.c.serial],
            holders=tuple(fields["holder_ids"]),
            version=fields[licences.c.version],
            recorded=State(fields[versions.c.state]),
            valid_from=fields[versions.c.valid_from],
            valid_until=fields[versions.c.valid_until],
            issued_at=fields[versions.c.issued_at],
        )
        sealed = self._unit.keys.open(fields[versions.c.face], bound=_face_of(licence.licence_id, licence.version))
        return LicenceFile(licence, type_of(row), orjson.loads(sealed))

    def _mine(self) -> ColumnElement[bool]:
        """Keep what the actor may see: a citizen the licences held, an officer those issued within the post's scope."""
        held = select(holders.c.licence_id).where(visible(self._unit.actor, owner=holders.c.person_id))
        if self._unit.actor.kind is Caller.CITIZEN:
            return licences.c.licence_id.in_(held)
        return visible(self._unit.actor, region=licences.c.region_code, org=licences.c.org_path)


def _face_of(licence_id: UUID, version: int) -> str:
    return f"licence_versions.face:{licence_id}:{version}"
