"""Manifests of filings that rest in the archive."""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_21_1820"
down_revision = "2026_11_21_1816"


def upgrade() -> None:
    op.create_table(
        "archives",
        sa.Column("filing_id", sa.Uuid, sa.ForeignKey("filings.id"), primary_key=True),
        sa.Column("manifest", sa.LargeBinary, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("archived_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("filings_closed", "filings", ["closed_at"], postgresql_where=sa.text("state = 'closed'"))
