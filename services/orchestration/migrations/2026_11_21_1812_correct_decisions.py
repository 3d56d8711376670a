"""Corrections of decisions; a case may have its licence corrected several times."""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_21_1812"
down_revision = "2026_11_21_1805"


def upgrade() -> None:
    op.create_table(
        "corrections",
        sa.Column("correction_id", sa.Uuid, primary_key=True),
        sa.Column("case_id", sa.Uuid, sa.ForeignKey("cases.id"), nullable=False),
        sa.Column("filing_id", sa.Uuid, sa.ForeignKey("filings.id"), nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.Column("corrected_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("corrections_of_case", "corrections", ["case_id"])
    op.drop_index("calls_of_case", "calls")
    op.create_index("calls_of_case", "calls", ["case_id", "kind", "attempt"], unique=True)
