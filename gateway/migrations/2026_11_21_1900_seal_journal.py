"""Blocks that the journal is sealed in."""

import chaining
from alembic import op

revision = "2026_11_21_1900"
down_revision = "2026_11_21_1500"


def upgrade() -> None:
    chaining.migration(op)
