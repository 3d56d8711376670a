"""Documents of whole filings: the receipt of what was handed in, and of what was taken back."""

from alembic import op

revision = "2026_11_21_1815"
down_revision = "2026_11_21_1812"


def upgrade() -> None:
    op.alter_column("documents", "case_id", nullable=True)
