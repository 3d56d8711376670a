"""Name agents: legal persons and who acts for them."""

from alembic import op

revision = "2026_11_21_1606"
down_revision = "2026_11_21_1605"

TABLES = (
    """
    CREATE TABLE legal_persons (
        legal_person_id uuid PRIMARY KEY,
        uscc varchar NOT NULL,
        name varchar NOT NULL,
        representative_id uuid NOT NULL REFERENCES persons (person_id),
        version integer NOT NULL
    )
    """,
    "CREATE UNIQUE INDEX legal_persons_uscc ON legal_persons (uscc)",
    "CREATE INDEX legal_persons_representative ON legal_persons (representative_id)",
    """
    CREATE TABLE agencies (
        agency_id uuid PRIMARY KEY,
        legal_person_id uuid NOT NULL REFERENCES legal_persons (legal_person_id),
        agent_id uuid NOT NULL REFERENCES persons (person_id),
        matters varchar[] NOT NULL,
        items varchar[] NOT NULL,
        valid_from timestamptz NOT NULL,
        valid_until timestamptz NOT NULL,
        version integer NOT NULL
    )
    """,
    "CREATE INDEX agencies_legal_person ON agencies (legal_person_id)",
    "CREATE INDEX agencies_agent ON agencies (agent_id)",
)


def upgrade() -> None:
    for statement in TABLES:
        op.execute(statement)
