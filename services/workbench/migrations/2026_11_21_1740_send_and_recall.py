"""Keep to whom officers send messages."""

from alembic import op

revision = "2026_11_21_1740"
down_revision = "2026_11_21_1720"

TABLES = """
CREATE TABLE receivers (
    message_id uuid NOT NULL REFERENCES messages,
    post_id varchar NOT NULL,
    title varchar NOT NULL,
    org_id uuid NOT NULL,
    PRIMARY KEY (message_id, post_id)
);
CREATE INDEX messages_sender ON messages (sender_post_id, message_id) WHERE sender_post_id IS NOT NULL
"""


def upgrade() -> None:
    for statement in TABLES.split(";\n"):
        op.execute(statement)
