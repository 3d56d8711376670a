"""Calls to departments' own systems, what they tell, and the nonces that they used."""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_21_1615"
down_revision = "2026_11_21_1610"

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("cases", sa.Column("app", sa.Text))
    op.add_column("calls", sa.Column("app", sa.Text))
    op.add_column("calls", sa.Column("phase", sa.Text))
    op.add_column("calls", sa.Column("attempt", sa.Integer, nullable=False, server_default="1"))
    op.alter_column("calls", "attempt", server_default=None)
    op.create_index(
        "calls_of_app",
        "calls",
        ["app", "next_try_at"],
        postgresql_where=sa.text("state = 'pending' and app is not null"),
    )
    op.create_table(
        "callbacks",
        sa.Column("case_id", sa.Uuid, sa.ForeignKey("cases.id"), primary_key=True),
        sa.Column("digest", sa.LargeBinary, primary_key=True),
        sa.Column("app", sa.Text, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("applied", sa.Boolean, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
    )
    op.create_table(
        "nonces",
        sa.Column("app", sa.Text, primary_key=True),
        sa.Column("nonce", sa.Text, primary_key=True),
        sa.Column("at", _MOMENT, nullable=False),
    )
    op.create_index("nonces_at", "nonces", ["at"])
