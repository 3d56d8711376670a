"""Follow mergers: which person the id of a duplicate names."""

from alembic import op

revision = "2026_11_21_1800"
down_revision = "2026_11_21_1602"

TABLES = (
    """
    CREATE TABLE duplicates (
        merged_id uuid PRIMARY KEY,
        surviving_id uuid NOT NULL
    )
    """,
    "CREATE INDEX duplicates_surviving ON duplicates (surviving_id)",
)


def upgrade() -> None:
    for statement in TABLES:
        op.execute(statement)
