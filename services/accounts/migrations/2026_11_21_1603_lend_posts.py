"""Lend posts: delegations between officers."""

from alembic import op

revision = "2026_11_21_1603"
down_revision = "2026_11_21_1601"

TABLES = (
    """
    CREATE TABLE delegations (
        delegation_id uuid PRIMARY KEY,
        post_id uuid NOT NULL REFERENCES posts (post_id),
        delegator_id uuid NOT NULL REFERENCES employees (employee_id),
        delegate_id uuid NOT NULL REFERENCES employees (employee_id),
        permissions varchar[] NOT NULL,
        valid_from timestamptz NOT NULL,
        valid_until timestamptz NOT NULL,
        version integer NOT NULL
    )
    """,
    "CREATE INDEX delegations_delegate ON delegations (delegate_id)",
    "CREATE INDEX delegations_delegator ON delegations (delegator_id)",
    "CREATE INDEX delegations_post ON delegations (post_id)",
)


def upgrade() -> None:
    for statement in TABLES:
        op.execute(statement)
