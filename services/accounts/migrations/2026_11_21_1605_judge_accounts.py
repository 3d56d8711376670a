"""Judge accounts: which are suspended or closed, and whether the log-in server knows."""

from alembic import op

revision = "2026_11_21_1605"
down_revision = "2026_11_21_1604"

TABLES = (
    """
    CREATE TABLE accounts (
        account_id uuid PRIMARY KEY,
        kind varchar NOT NULL,
        state varchar NOT NULL,
        reason bytea NOT NULL,
        changed_at timestamptz NOT NULL,
        version integer NOT NULL,
        told_version integer NOT NULL
    )
    """,
    "CREATE INDEX accounts_untold ON accounts (changed_at) WHERE told_version < version",
)


def upgrade() -> None:
    for statement in TABLES:
        op.execute(statement)
