"""A case that was declined may name the organ that is competent."""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_21_1600"
down_revision = "2026_11_21_1500"


def upgrade() -> None:
    op.add_column("cases", sa.Column("competent_organ", sa.Text))
