"""Consents in the database."""

from typing import Any
from uuid import UUID

from common.paging import Page, cut, decode
from common.scope import visible
from common.transaction import Transaction
from sqlalchemy import Row, select

from verification.domain.consent import Consent
from verification.domain.identifier import LicenceTypeCode
from verification.domain.refusals import ConsentNotFound
from verification.models import consents

ADD = """
    INSERT INTO consents (consent_id, holder_id, grantee_id, licence_types, matter_code, granted_at, valid_until,
        filing_id, purpose)
    VALUES (CAST(:consent_id AS uuid), CAST(:holder_id AS uuid), CAST(:grantee_id AS uuid),
        CAST(:licence_types AS varchar[]), :matter_code, CAST(:granted_at AS timestamptz),
        CAST(:valid_until AS timestamptz), CAST(:filing_id AS uuid), CAST(:purpose AS bytea))
    RETURNING 1
"""
WITHDRAW = """
    UPDATE consents SET withdrawn_at = CAST(:withdrawn_at AS timestamptz)
    WHERE consent_id = CAST(:consent_id AS uuid) AND withdrawn_at IS NULL
    RETURNING 1
"""


class Consents:
    """Consents as their holders see them."""

    def __init__(self, unit: Transaction) -> None:
        self._unit = unit

    def add(self, consent: Consent) -> None:
        """Keep a new consent."""
        self._unit.write(
            "add_consent",
            ADD,
            rows=1,
            consent_id=consent.consent_id,
            holder_id=consent.holder_id,
            grantee_id=consent.grantee_id,
            licence_types=list(consent.licence_types),
            matter_code=consent.matter_code,
            granted_at=consent.granted_at,
            valid_until=consent.valid_until,
            filing_id=consent.filing_id,
            purpose=self._sealed(consent),
        )

    async def lock(self, consent_id: UUID) -> Consent:
        """Load one consent of the caller's, to change it."""
        statement = (
            select(consents)
            .where(consents.c.consent_id == consent_id, visible(self._unit.actor, owner=consents.c.holder_id))
            .with_for_update()
        )
        row = (await self._unit.connection.execute(statement)).one_or_none()
        if row is None:
            raise ConsentNotFound(consent_id=str(consent_id))
        return self._consent(row)

    async def page(self, *, cursor: str | None, size: int) -> Page[Consent]:
        """List the caller's own consents, the latest first."""
        statement = (
            select(consents)
            .where(visible(self._unit.actor, owner=consents.c.holder_id))
            .order_by(consents.c.consent_id.desc())
            .limit(size + 1)
        )
        if cursor:
            statement = statement.where(consents.c.consent_id < decode(cursor, UUID)[0])
        rows = await self._unit.connection.execute(statement)
        return cut([self._consent(row) for row in rows], size, lambda consent: (consent.consent_id,))

    def withdraw(self, consent: Consent) -> None:
        """Keep that a consent was withdrawn."""
        self._unit.write(
            "withdraw_consent", WITHDRAW, rows=1, consent_id=consent.consent_id, withdrawn_at=consent.withdrawn_at
        )

    def _consent(self, row: Row[Any]) -> Consent:
        """Read a consent from its row."""
        keys = self._unit.keys
        return Consent(
            consent_id=row.consent_id,
            holder_id=row.holder_id,
            grantee_id=row.grantee_id,
            licence_types=tuple(LicenceTypeCode(code) for code in row.licence_types),
            matter_code=row.matter_code,
            granted_at=row.granted_at,
            valid_until=row.valid_until,
            withdrawn_at=row.withdrawn_at,
            filing_id=row.filing_id,
            purpose=keys.open(row.purpose, bound=_purpose_of(row.consent_id)).decode() if row.purpose else None,
        )

    def _sealed(self, consent: Consent) -> bytes | None:
        if consent.purpose is None:
            return None
        return self._unit.keys.seal(consent.purpose.encode(), bound=_purpose_of(consent.consent_id))


def _purpose_of(consent_id: UUID) -> str:
    return f"consents.purpose:{consent_id}"
