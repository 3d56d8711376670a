"""Keep a mailbox in the order of its list: a page of it is read off an index."""

from alembic import op

revision = "2026_11_21_2350"
down_revision = "2026_11_21_2110"

# A message lies in a mailbox once; what stands there under a later number tells that it was taken back.
CHANGES = """
ALTER TABLE deliveries ADD COLUMN sent_at timestamptz;
UPDATE deliveries AS d SET sent_at = m.sent_at FROM messages AS m
    WHERE m.message_id = d.message_id
      AND NOT EXISTS (SELECT FROM deliveries AS e
                      WHERE e.message_id = d.message_id AND e.mailbox = d.mailbox AND e.seq < d.seq);
CREATE UNIQUE INDEX deliveries_list ON deliveries (mailbox, sent_at, message_id) WHERE sent_at IS NOT NULL;
"""


def upgrade() -> None:
    for statement in CHANGES.split(";\n"):
        if statement.strip():
            op.execute(statement)
