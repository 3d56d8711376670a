"""Begin the journal: the plumbing's tables are all that the gateway keeps."""

from alembic import op
from common.db import plumbing_1

revision = "2026_11_21_1500"
down_revision = None


def upgrade() -> None:
    plumbing_1(op)
