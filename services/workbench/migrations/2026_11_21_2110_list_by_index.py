"""Indexes in the order of the lists, and of what is counted: no list passes by what it does not show."""

from alembic import op

revision = "2026_11_21_2110"
down_revision = "2026_11_21_1900"

INDEXES = """
DROP INDEX todos_list;
DROP INDEX todos_claimed;
CREATE INDEX todos_due ON todos (org_path text_pattern_ops, state, sort_at, todo_id)
    WHERE promised_due_at IS NOT NULL;
CREATE INDEX todos_undue ON todos (org_path text_pattern_ops, state, sort_at, todo_id)
    WHERE promised_due_at IS NULL;
CREATE INDEX todos_pending ON todos (org_path text_pattern_ops, state)
    INCLUDE (region_code, promised_due_at) WHERE state <> 'done';
CREATE INDEX todos_near ON todos (org_path text_pattern_ops, yellow_at)
    INCLUDE (region_code, promised_due_at) WHERE state IN ('open', 'claimed');
CREATE INDEX todos_done ON todos (org_path text_pattern_ops, done_at)
    INCLUDE (region_code, promised_due_at) WHERE state = 'done';
CREATE INDEX todos_claimed ON todos (claimed_post_id, state) WHERE claimed_post_id IS NOT NULL;
"""


def upgrade() -> None:
    for statement in INDEXES.split(";\n"):
        if statement.strip():
            op.execute(statement)
