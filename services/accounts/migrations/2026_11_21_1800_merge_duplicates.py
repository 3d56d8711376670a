"""Merge duplicates: requests to make two records of one person one, and which record names another."""

from alembic import op

revision = "2026_11_21_1800"
down_revision = "2026_11_21_1606"

TABLES = (
    "ALTER TABLE persons ADD COLUMN merged_into uuid REFERENCES persons (person_id)",
    "CREATE INDEX persons_merged_into ON persons (merged_into) WHERE merged_into IS NOT NULL",
    """
    CREATE TABLE mergers (
        merger_id uuid PRIMARY KEY,
        surviving_id uuid NOT NULL REFERENCES persons (person_id),
        merged_id uuid NOT NULL REFERENCES persons (person_id),
        grounds bytea NOT NULL,
        requested_by uuid NOT NULL,
        requested_at timestamptz NOT NULL,
        state varchar NOT NULL,
        decided_by uuid,
        decided_at timestamptz
    )
    """,
    "CREATE INDEX mergers_state ON mergers (state, merger_id)",
)


def upgrade() -> None:
    for statement in TABLES:
        op.execute(statement)
