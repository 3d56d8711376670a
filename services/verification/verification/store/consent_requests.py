"""Requests for consent in the database."""

from typing import Any
from uuid import UUID

from common.paging import Page, cut, decode
from common.scope import visible
from common.transaction import Transaction
from sqlalchemy import ColumnElement, Row, select
from sqlalchemy.dialects.postgresql import insert

from verification.domain.consent import Answer, ConsentRequest
from verification.domain.identifier import LicenceTypeCode
from verification.domain.refusals import ConsentRequestNotFound
from verification.models import consent_requests

ANSWER = """
    UPDATE consent_requests
    SET answer = :answer, answered_at = CAST(:answered_at AS timestamptz), consent_id = CAST(:consent_id AS uuid)
    WHERE consent_request_id = CAST(:consent_request_id AS uuid) AND answer = 'waiting'
    RETURNING 1
"""


class ConsentRequests:
    """Requests as those who asked and those who are asked see them."""

    def __init__(self, unit: Transaction) -> None:
        self._unit = unit

    async def add(self, asked: ConsentRequest) -> tuple[ConsentRequest, bool]:
        """Keep a request, or give back the one that waits for the same; tells whether it is new."""
        added = await self._unit.connection.execute(
            insert(consent_requests)
            .values(
                consent_request_id=asked.consent_request_id,
                holder_id=asked.holder_id,
                grantee_id=asked.grantee_id,
                licence_types=list(asked.licence_types),
                matter_code=asked.matter_code,
                filing_id=asked.filing_id,
                purpose=self._unit.keys.seal(asked.purpose.encode(), bound=_purpose_of(asked.consent_request_id)),
                requested_at=asked.requested_at,
                answer=asked.answer.value,
            )
            .on_conflict_do_nothing()
            .returning(consent_requests.c.consent_request_id)
        )
        if added.scalar_one_or_none() is not None:
            return asked, True
        row = await self._unit.connection.execute(
            select(consent_requests).where(
                consent_requests.c.grantee_id == asked.grantee_id,
                consent_requests.c.holder_id == asked.holder_id,
                consent_requests.c.filing_id == asked.filing_id,
                consent_requests.c.licence_types == list(asked.licence_types),
                consent_requests.c.answer == Answer.WAITING.value,
            )
        )
        return self._request(row.one()), False

    async def lock(self, consent_request_id: UUID) -> ConsentRequest:
        """Load a request that waits for the caller, to answer it."""
        statement = (
            select(consent_requests)
            .where(
                consent_requests.c.consent_request_id == consent_request_id,
                visible(self._unit.actor, owner=consent_requests.c.holder_id),
            )
            .with_for_update()
        )
        row = (await self._unit.connection.execute(statement)).one_or_none()
        if row is None:
            raise ConsentRequestNotFound(consent_request_id=str(consent_request_id))
        return self._request(row)

    def answer(self, answered: ConsentRequest) -> None:
        """Keep what the holder said."""
        self._unit.write(
            "answer_consent_request",
            ANSWER,
            rows=1,
            consent_request_id=answered.consent_request_id,
            answer=answered.answer.value,
            answered_at=answered.answered_at,
            consent_id=answered.consent_id,
        )

    async def asked_of_me(self, *, cursor: str | None, size: int) -> Page[ConsentRequest]:
        """List what others ask of the caller, the latest first."""
        return await self._page(consent_requests.c.holder_id, cursor=cursor, size=size)

    async def asked_by_me(self, *, cursor: str | None, size: int) -> Page[ConsentRequest]:
        """List what the caller asked of others, the latest first."""
        return await self._page(consent_requests.c.grantee_id, cursor=cursor, size=size)

    async def _page(self, owner: ColumnElement[Any], *, cursor: str | None, size: int) -> Page[ConsentRequest]:
        key = consent_requests.c.consent_request_id
        statement = (
            select(consent_requests).where(visible(self._unit.actor, owner=owner)).order_by(key.desc()).limit(size + 1)
        )
        if cursor:
            statement = statement.where(key < decode(cursor, UUID)[0])
        rows = await self._unit.connection.execute(statement)
        return cut([self._request(row) for row in rows], size, lambda asked: (asked.consent_request_id,))

    def _request(self, row: Row[Any]) -> ConsentRequest:
        return ConsentRequest(
            consent_request_id=row.consent_request_id,
            holder_id=row.holder_id,
            grantee_id=row.grantee_id,
            licence_types=tuple(LicenceTypeCode(code) for code in row.licence_types),
            matter_code=row.matter_code,
            filing_id=row.filing_id,
            purpose=self._unit.keys.open(row.purpose, bound=_purpose_of(row.consent_request_id)).decode(),
            requested_at=row.requested_at,
            answer=Answer(row.answer),
            answered_at=row.answered_at,
            consent_id=row.consent_id,
        )


def _purpose_of(consent_request_id: UUID) -> str:
    return f"consent_requests.purpose:{consent_request_id}"
