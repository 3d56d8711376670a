"""Lay the table of the todo list."""

from alembic import op
from common.db import plumbing_1

revision = "2026_11_21_1500"
down_revision = None

TABLES = """
CREATE TABLE todos (
    todo_id uuid PRIMARY KEY,
    source varchar NOT NULL,
    source_id varchar NOT NULL,
    version integer NOT NULL,
    stage varchar NOT NULL,
    state varchar NOT NULL,
    revision integer NOT NULL,
    described_version integer NOT NULL,
    title varchar,
    org_id uuid,
    org_path varchar,
    region_code varchar,
    ready_at timestamptz,
    due_version integer NOT NULL,
    promised_due_at timestamptz,
    statutory_due_at timestamptz,
    done_at timestamptz,
    claimed_post_id varchar,
    claimed_post_title varchar,
    claimed_at timestamptz,
    sort_at timestamptz GENERATED ALWAYS AS (COALESCE(promised_due_at, ready_at)) STORED,
    CONSTRAINT todos_stage CHECK (stage IN ('ready', 'accepted', 'done')),
    CONSTRAINT todos_state CHECK (state IN ('open', 'claimed', 'done'))
);
CREATE UNIQUE INDEX todos_source ON todos (source, source_id);
CREATE INDEX todos_list ON todos (org_path text_pattern_ops, state, sort_at, todo_id);
CREATE INDEX todos_claimed ON todos (claimed_post_id) WHERE claimed_post_id IS NOT NULL;
"""


def upgrade() -> None:
    plumbing_1(op)
    for statement in TABLES.split(";\n"):
        op.execute(statement)
