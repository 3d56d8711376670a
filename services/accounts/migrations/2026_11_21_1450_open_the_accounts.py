"""Open the accounts: persons, organisations, employees, posts."""

from alembic import op
from common.db import plumbing_1

revision = "2026_11_21_1450"
down_revision = None

TABLES = (
    """
    CREATE TABLE persons (
        person_id uuid PRIMARY KEY,
        name bytea NOT NULL,
        id_number bytea NOT NULL,
        id_number_index bytea NOT NULL,
        number_flag varchar,
        phone bytea,
        phone_index bytea,
        proof_level integer NOT NULL,
        proof_obtained_at timestamptz NOT NULL,
        version integer NOT NULL,
        CONSTRAINT persons_proof_level CHECK (proof_level BETWEEN 0 AND 4)
    )
    """,
    "CREATE UNIQUE INDEX persons_id_number ON persons (id_number_index)",
    "CREATE INDEX persons_phone ON persons (phone_index)",
    """
    CREATE TABLE organisations (
        org_id uuid PRIMARY KEY,
        parent_id uuid REFERENCES organisations (org_id),
        code varchar NOT NULL,
        name varchar NOT NULL,
        department varchar NOT NULL,
        uscc varchar NOT NULL,
        region_code varchar NOT NULL,
        org_path varchar NOT NULL,
        version integer NOT NULL
    )
    """,
    "CREATE UNIQUE INDEX organisations_path ON organisations (org_path text_pattern_ops)",
    "CREATE INDEX organisations_department ON organisations (department, region_code)",
    """
    CREATE TABLE employees (
        employee_id uuid PRIMARY KEY,
        name bytea NOT NULL,
        org_id uuid NOT NULL REFERENCES organisations (org_id),
        org_path varchar NOT NULL,
        region_code varchar NOT NULL
    )
    """,
    "CREATE INDEX employees_scope ON employees (org_path text_pattern_ops, employee_id)",
    """
    CREATE TABLE posts (
        post_id uuid PRIMARY KEY,
        employee_id uuid NOT NULL REFERENCES employees (employee_id),
        org_id uuid NOT NULL REFERENCES organisations (org_id),
        org_path varchar NOT NULL,
        region_code varchar NOT NULL,
        title varchar NOT NULL,
        permissions varchar[] NOT NULL,
        rank integer NOT NULL,
        valid_from timestamptz NOT NULL,
        valid_until timestamptz,
        version integer NOT NULL
    )
    """,
    "CREATE INDEX posts_employee ON posts (employee_id, rank)",
)


def upgrade() -> None:
    plumbing_1(op)
    for statement in TABLES:
        op.execute(statement)
