"""What a verification reads, and the evidence that it leaves."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from common.paging import Page, cut, decode
from common.transaction import Transaction
from sqlalchemy import Row, or_, select, text
from sqlalchemy.dialects.postgresql import distinct_on

from verification.domain.consent import Consent
from verification.domain.identifier import LicenceTypeCode
from verification.domain.licence import Issuer, Licence, State
from verification.domain.verifying import Basis, Evidence, Finding, Query, Reason, fingerprint
from verification.models import duplicates, evidence, licence_holders

# All queries of a call at once: every licence of the holder and type, beside the best consent of that holder.
FACTS = text("""
    SELECT asked.place, l.licence_id, l.licence_type, v.type_version, l.issuer_uscc, l.org_id, l.org_path,
        l.region_code, l.serial, l.version, v.state, v.valid_from, v.valid_until, v.issued_at,
        (SELECT array_agg(person_id ORDER BY position) FROM licence_holders WHERE licence_id = l.licence_id)
            AS holder_ids,
        c.consent_id, c.granted_at, c.valid_until AS consented_until, c.withdrawn_at
    FROM (
        SELECT named.licence_type, coalesce(d.surviving_id, named.holder_id) AS holder_id, named.place
        FROM unnest(CAST(:licence_types AS varchar[]), CAST(:holder_ids AS uuid[]))
            WITH ORDINALITY AS named (licence_type, holder_id, place)
        LEFT JOIN duplicates d ON d.merged_id = named.holder_id
    ) AS asked
    LEFT JOIN licence_holders h ON h.person_id = asked.holder_id AND h.licence_type = asked.licence_type
    LEFT JOIN licences l ON l.licence_id = h.licence_id
    LEFT JOIN licence_versions v ON v.licence_id = l.licence_id AND v.version = l.version
    LEFT JOIN LATERAL (
        SELECT * FROM consents
        WHERE holder_id = asked.holder_id AND grantee_id = CAST(:caller AS uuid) AND matter_code = :matter_code
            AND asked.licence_type = ANY (licence_types)
            AND (filing_id IS NULL OR filing_id = CAST(:filing_id AS uuid))
        ORDER BY withdrawn_at IS NOT NULL, valid_until DESC
        LIMIT 1
    ) c ON true
""")
# A record already there is given back as it is: the empty update makes it visible even to a call that raced.
KEEP = text("""
    INSERT INTO evidence (evidence_id, fingerprint, filing_id, key, asked_by, holder_id, licence_type, matter_code,
        purpose, finding, reason, basis, licence_id, version, identifier, consent_id,
        guardianship_id, at)
    SELECT evidence_id, fingerprint, CAST(:filing_id AS uuid), key, CAST(:asked_by AS uuid), holder_id, licence_type,
        :matter_code, :purpose, finding, reason, basis, licence_id, version, identifier, consent_id,
        guardianship_id, CAST(:at AS timestamptz)
    FROM unnest(CAST(:evidence_ids AS uuid[]), CAST(:fingerprints AS bytea[]), CAST(:keys AS varchar[]),
        CAST(:holder_ids AS uuid[]), CAST(:licence_types AS varchar[]), CAST(:findings AS varchar[]),
        CAST(:reasons AS varchar[]), CAST(:bases AS varchar[]), CAST(:licence_ids AS uuid[]),
        CAST(:versions AS integer[]), CAST(:identifiers AS varchar[]), CAST(:consent_ids AS uuid[]),
        CAST(:guardianship_ids AS uuid[]))
        AS said (evidence_id, fingerprint, key, holder_id, licence_type, finding, reason, basis, licence_id, version,
            identifier, consent_id, guardianship_id)
    ORDER BY fingerprint
    ON CONFLICT (fingerprint) DO UPDATE SET fingerprint = EXCLUDED.fingerprint
    RETURNING evidence.*
""")


class EvidenceRecords:
    """Reading for verification, and the records of it."""

    def __init__(self, unit: Transaction) -> None:
        self._unit = unit

    async def facts(
        self, queries: Sequence[Query], *, caller: UUID, matter_code: str, filing_id: UUID | None = None
    ) -> list[tuple[list[Licence], list[Consent]]]:
        """Load what each query is decided on: the holder's licences of the type, and the consent to the caller."""
        rows = await self._unit.connection.execute(
            FACTS,
            {
                "licence_types": [query.licence_type for query in queries],
                "holder_ids": [query.holder_id for query in queries],
                "caller": caller,
                "matter_code": matter_code,
                "filing_id": filing_id,
            },
        )
        found: list[tuple[list[Licence], list[Consent]]] = [([], []) for _ in queries]
        for row in rows:
            licences, consents = found[row.place - 1]
            if row.licence_id is not None:
                licences.append(_licence(row))
            if row.consent_id is not None and not consents:
                consents.append(_consent(row, queries[row.place - 1], caller=caller, matter_code=matter_code))
        return found

    async def keep(self, records: Sequence[Evidence], *, at: datetime) -> dict[str, Evidence]:
        """Keep the records of one call, and give back by key what is now on record."""
        first = records[0]
        rows = await self._unit.connection.execute(
            KEEP,
            {
                "filing_id": first.filing_id,
                "asked_by": first.asked_by,
                "matter_code": first.matter_code,
                "purpose": first.purpose,
                "at": at,
                "evidence_ids": [record.evidence_id for record in records],
                "fingerprints": [fingerprint(record) for record in records],
                "keys": [record.key for record in records],
                "holder_ids": [record.holder_id for record in records],
                "licence_types": [record.licence_type for record in records],
                "findings": [record.finding.value for record in records],
                "reasons": [record.reason.value for record in records],
                "bases": [record.basis and record.basis.value for record in records],
                "licence_ids": [record.licence_id for record in records],
                "versions": [record.version for record in records],
                "identifiers": [record.identifier for record in records],
                "consent_ids": [record.consent_id for record in records],
                "guardianship_ids": [record.guardianship_id for record in records],
            },
        )
        return {row.key: _evidence(row) for row in rows}

    async def latest(self, filing_id: UUID, keys: Sequence[str]) -> list[Evidence]:
        """Load what was last verified for a filing under each key."""
        statement = (
            select(evidence)
            .ext(distinct_on(evidence.c.key))
            .where(evidence.c.filing_id == filing_id, evidence.c.key.in_(keys))
            .order_by(evidence.c.key, evidence.c.at.desc(), evidence.c.evidence_id.desc())
        )
        return [_evidence(row) for row in await self._unit.connection.execute(statement)]

    async def keys_of(self, filing_id: UUID, evidence_ids: Collection[UUID]) -> set[str]:
        """Tell which keys of a filing these records are of."""
        statement = select(evidence.c.key).where(
            evidence.c.evidence_id.in_(evidence_ids), evidence.c.filing_id == filing_id
        )
        return set((await self._unit.connection.execute(statement)).scalars())

    async def page(self, *, holder: UUID, cursor: str | None, size: int) -> Page[Evidence]:
        """List what was verified of a person, alone or with others who hold the licence, the latest first."""
        held = select(licence_holders.c.licence_id).where(licence_holders.c.person_id == holder)
        once = select(duplicates.c.merged_id).where(duplicates.c.surviving_id == holder)
        statement = (
            select(evidence)
            .where(or_(evidence.c.holder_id == holder, evidence.c.holder_id.in_(once), evidence.c.licence_id.in_(held)))
            .order_by(evidence.c.evidence_id.desc())
            .limit(size + 1)
        )
        if cursor:
            statement = statement.where(evidence.c.evidence_id < decode(cursor, UUID)[0])
        rows = await self._unit.connection.execute(statement)
        return cut([_evidence(row) for row in rows], size, lambda record: (record.evidence_id,))


def _licence(row: Row[Any]) -> Licence:
    return Licence(
        licence_id=row.licence_id,
        licence_type=LicenceTypeCode(row.licence_type),
        type_version=row.type_version,
        issuer=Issuer(uscc=row.issuer_uscc, org_id=row.org_id, org_path=row.org_path, region_code=row.region_code),
        serial=row.serial,
        holders=tuple(row.holder_ids),
        version=row.version,
        recorded=State(row.state),
        valid_from=row.valid_from,
        valid_until=row.valid_until,
        issued_at=row.issued_at,
    )


def _consent(row: Row[Any], query: Query, *, caller: UUID, matter_code: str) -> Consent:
    return Consent(
        consent_id=row.consent_id,
        holder_id=query.holder_id,
        grantee_id=caller,
        licence_types=(query.licence_type,),
        matter_code=matter_code,
        granted_at=row.granted_at,
        valid_until=row.consented_until,
        withdrawn_at=row.withdrawn_at,
    )


def _evidence(row: Row[Any]) -> Evidence:
    return Evidence(
        evidence_id=row.evidence_id,
        filing_id=row.filing_id,
        key=row.key,
        asked_by=row.asked_by,
        holder_id=row.holder_id,
        licence_type=LicenceTypeCode(row.licence_type),
        matter_code=row.matter_code,
        purpose=row.purpose,
        finding=Finding(row.finding),
        reason=Reason(row.reason),
        basis=Basis(row.basis) if row.basis else None,
        licence_id=row.licence_id,
        version=row.version,
        identifier=row.identifier,
        consent_id=row.consent_id,
        guardianship_id=row.guardianship_id,
        at=row.at,
    )
