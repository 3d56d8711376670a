"""Find what waits for people without passing by every call that was ever made."""

from alembic import op

revision = "2026_11_21_1910"
down_revision = "2026_11_21_1900"


def upgrade() -> None:
    op.execute("create index calls_incidents on calls (created_at) where state = 'incident'")
