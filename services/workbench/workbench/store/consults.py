"""Consults in the database; who may see them follows from the todos of both sides."""

from typing import Any
from uuid import UUID

from common.transaction import Transaction
from sqlalchemy import Row, insert, select, update

from workbench.domain.consult import Answer, Consult, ConsultNotFound, Department
from workbench.models import consults


class Consults:
    """Questions to other departments."""

    def __init__(self, unit: Transaction) -> None:
        self._unit = unit

    async def add(self, consult: Consult) -> None:
        """Keep a new consult."""
        asked = consult.department
        statement = insert(consults).values(
            consult_id=consult.consult_id,
            todo_id=consult.todo_id,
            asker_post_id=consult.asker_post_id,
            asker_post_title=consult.asker_post_title,
            asker_org_id=consult.asker_org_id,
            org_id=asked.org_id,
            org_path=asked.org_path,
            region_code=asked.region_code,
            org_name=asked.name,
            question=self._sealed(consult.question, "question", consult.consult_id),
            asked_at=consult.asked_at,
            due_at=consult.due_at,
        )
        await self._unit.connection.execute(statement)

    async def answer(self, consult: Consult) -> None:
        """Keep the answer to a consult that was locked before."""
        if consult.answer is None:
            return
        statement = (
            update(consults)
            .where(consults.c.consult_id == consult.consult_id)
            .values(
                answer=self._sealed(consult.answer.text, "answer", consult.consult_id),
                answered_by=consult.answer.answered_by,
                answered_at=consult.answer.answered_at,
            )
        )
        await self._unit.connection.execute(statement)

    async def lock(self, consult_id: UUID) -> Consult:
        """Load a consult, to answer it."""
        statement = select(consults).where(consults.c.consult_id == consult_id).with_for_update()
        row = (await self._unit.connection.execute(statement)).one_or_none()
        if row is None:
            raise ConsultNotFound(consult_id=str(consult_id))
        return self._consult(row)

    async def about(self, todo_id: UUID, consult_id: str) -> list[Consult]:
        """List the consults that a todo asked, or that it is itself."""
        own = UUID(consult_id) if consult_id else None
        statement = (
            select(consults)
            .where((consults.c.todo_id == todo_id) | (consults.c.consult_id == own))
            .order_by(consults.c.asked_at, consults.c.consult_id)
        )
        return [self._consult(row) for row in await self._unit.connection.execute(statement)]

    def _sealed(self, text: str, column: str, consult_id: UUID) -> bytes:
        return self._unit.keys.seal(text.encode(), bound=f"consults.{column}:{consult_id}")

    def _opened(self, sealed: bytes, column: str, consult_id: UUID) -> str:
        return self._unit.keys.open(sealed, bound=f"consults.{column}:{consult_id}").decode()

    def _consult(self, row: Row[Any]) -> Consult:
        given = None
        if row.answer is not None:
            text = self._opened(row.answer, "answer", row.consult_id)
            given = Answer(text, row.answered_by, row.answered_at)
        return Consult(
            consult_id=row.consult_id,
            todo_id=row.todo_id,
            asker_post_id=row.asker_post_id,
            asker_post_title=row.asker_post_title,
            asker_org_id=row.asker_org_id,
            department=Department(row.org_id, row.org_name, row.org_path, row.region_code),
            question=self._opened(row.question, "question", row.consult_id),
            asked_at=row.asked_at,
            due_at=row.due_at,
            answer=given,
        )
