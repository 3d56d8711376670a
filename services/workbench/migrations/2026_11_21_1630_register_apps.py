"""Register apps: departments' own systems."""

from alembic import op

revision = "2026_11_21_1630"
down_revision = "2026_11_21_1500"

TABLE = """
CREATE TABLE apps (
    code varchar PRIMARY KEY,
    name varchar NOT NULL,
    org_id uuid NOT NULL,
    org_path varchar NOT NULL,
    region_code varchar NOT NULL,
    contact bytea NOT NULL,
    address varchar NOT NULL,
    client_id varchar NOT NULL UNIQUE,
    items varchar[] NOT NULL,
    keys jsonb NOT NULL,
    state varchar NOT NULL,
    version integer NOT NULL,
    CONSTRAINT apps_state CHECK (state IN ('draft', 'approved', 'suspended'))
)
"""


def upgrade() -> None:
    op.execute(TABLE)
