"""Who acts, when the applicant is a legal person."""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_21_1805"
down_revision = "2026_11_21_1800"


def upgrade() -> None:
    op.add_column("filings", sa.Column("agent_id", sa.Text))
