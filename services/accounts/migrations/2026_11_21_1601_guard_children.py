"""Guard children: guardianships."""

from alembic import op

revision = "2026_11_21_1601"
down_revision = "2026_11_21_1450"

TABLES = (
    """
    CREATE TABLE guardianships (
        guardianship_id uuid PRIMARY KEY,
        guardian_id uuid NOT NULL REFERENCES persons (person_id),
        ward_id uuid NOT NULL REFERENCES persons (person_id),
        basis varchar NOT NULL,
        proof bytea NOT NULL,
        valid_from timestamptz NOT NULL,
        valid_until timestamptz NOT NULL,
        version integer NOT NULL
    )
    """,
    "CREATE INDEX guardianships_guardian ON guardianships (guardian_id)",
    "CREATE INDEX guardianships_ward ON guardianships (ward_id)",
)


def upgrade() -> None:
    for statement in TABLES:
        op.execute(statement)
