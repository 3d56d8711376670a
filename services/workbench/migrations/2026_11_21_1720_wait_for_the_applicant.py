"""Let a todo wait while its applicant supplements."""

from alembic import op

revision = "2026_11_21_1720"
down_revision = "2026_11_21_1640"

CHANGE = """
ALTER TABLE todos
    ADD COLUMN waiting_version integer NOT NULL DEFAULT 0,
    ADD COLUMN waiting_since timestamptz,
    ADD COLUMN waiting_until timestamptz,
    DROP CONSTRAINT todos_state,
    ADD CONSTRAINT todos_state CHECK (state IN ('open', 'claimed', 'waiting', 'done'))
"""


def upgrade() -> None:
    op.execute(CHANGE)
