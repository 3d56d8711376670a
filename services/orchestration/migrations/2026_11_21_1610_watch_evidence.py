"""Watches over licences that materials stand on, and the changes of licences."""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_21_1610"
down_revision = "2026_11_21_1600"

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "evidence_watches",
        sa.Column("case_id", sa.Uuid, sa.ForeignKey("cases.id"), primary_key=True),
        sa.Column("requirement", sa.Text, primary_key=True),
        sa.Column("licence_id", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("valid_until", _MOMENT),
        sa.Column("finding", sa.Text, nullable=False),
        sa.Column("reverified_at", _MOMENT),
        sa.Column("acknowledged_at", _MOMENT),
        sa.Column("acknowledgement", sa.LargeBinary),
    )
    op.create_index("evidence_watches_licence", "evidence_watches", ["licence_id"])
    op.create_table(
        "licence_changes",
        sa.Column("licence_id", sa.Text, primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("voided", sa.Boolean, nullable=False),
        sa.Column("changed_at", _MOMENT, nullable=False),
    )
    op.create_index("licence_changes_at", "licence_changes", ["changed_at"])
