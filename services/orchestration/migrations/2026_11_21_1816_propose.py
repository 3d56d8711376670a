"""Filings that are proposed after a case of another matter, and until when they wait for confirmation."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "2026_11_21_1816"
down_revision = "2026_11_21_1815"

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "proposals",
        sa.Column("filing_id", sa.Uuid, sa.ForeignKey("filings.id"), primary_key=True),
        sa.Column("matter_code", sa.Text, nullable=False),
        sa.Column("source_case_id", sa.Uuid, sa.ForeignKey("cases.id"), nullable=False),
        sa.Column("source_filing_id", sa.Uuid, sa.ForeignKey("filings.id"), nullable=False),
        sa.Column("filled", ARRAY(sa.Text), nullable=False),
        sa.Column("due_at", _MOMENT, nullable=False),
        sa.Column("ended_at", _MOMENT),
    )
    op.create_index("proposals_of_case", "proposals", ["source_case_id", "matter_code"], unique=True)
    op.create_index("proposals_due", "proposals", ["due_at"], postgresql_where=sa.text("ended_at is null"))
