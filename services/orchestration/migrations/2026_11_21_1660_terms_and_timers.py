"""What a case was asked for, tolerated or stopped for, and the timers that follow from it."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "2026_11_21_1660"
down_revision = "2026_11_21_1650"

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("cases", sa.Column("terms", JSONB, nullable=False, server_default="{}"))
    for name in ("supplement", "absence", "pause"):
        op.add_column("cases", sa.Column(name, JSONB))
    op.create_table(
        "timers",
        sa.Column("case_id", sa.Uuid, sa.ForeignKey("cases.id"), primary_key=True),
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("filing_id", sa.Uuid, sa.ForeignKey("filings.id"), nullable=False),
        sa.Column("due_at", _MOMENT, nullable=False),
        sa.Column("fired_at", _MOMENT),
    )
    op.create_index("timers_due", "timers", ["due_at"], postgresql_where=sa.text("fired_at is null"))
