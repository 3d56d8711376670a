"""Trust guardians: evidence names the guardianship that entitled the caller."""

from alembic import op

revision = "2026_11_21_1602"
down_revision = "2026_11_21_1540"


def upgrade() -> None:
    op.execute("ALTER TABLE evidence ADD COLUMN guardianship_id uuid")
