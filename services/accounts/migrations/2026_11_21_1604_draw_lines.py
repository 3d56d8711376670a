"""Draw lines: who guides a body professionally, and which posts see along it."""

from alembic import op

revision = "2026_11_21_1604"
down_revision = "2026_11_21_1603"

CHANGES = (
    "ALTER TABLE organisations ADD COLUMN line_parent_id uuid REFERENCES organisations (org_id)",
    "CREATE INDEX organisations_line ON organisations (line_parent_id) WHERE line_parent_id IS NOT NULL",
    "ALTER TABLE posts ADD COLUMN line boolean NOT NULL DEFAULT false",
)


def upgrade() -> None:
    for statement in CHANGES:
        op.execute(statement)
