"""Attachments of filings, in sealed pieces; they go with the draft."""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_21_1620"
down_revision = "2026_11_21_1615"


def upgrade() -> None:
    op.create_table(
        "attachments",
        sa.Column("attachment_id", sa.Uuid, primary_key=True),
        sa.Column("filing_id", sa.Uuid, sa.ForeignKey("filings.id", ondelete="CASCADE"), nullable=False),
        sa.Column("requirement", sa.Text, nullable=False),
        sa.Column("name", sa.LargeBinary, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("uploaded_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("attachments_of_filing", "attachments", ["filing_id", "requirement", "digest"], unique=True)
    op.create_table(
        "attachment_pieces",
        sa.Column(
            "attachment_id",
            sa.Uuid,
            sa.ForeignKey("attachments.attachment_id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("place", sa.Integer, primary_key=True),
        sa.Column("content", sa.LargeBinary, nullable=False),
    )
