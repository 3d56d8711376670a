"""Lay what officers and citizens hear: colours, absence, consults and messages."""

from alembic import op

revision = "2026_11_21_1640"
down_revision = "2026_11_21_1630"

TABLES = """
ALTER TABLE todos
    ADD COLUMN kind varchar NOT NULL DEFAULT 'case',
    ADD COLUMN matter_code varchar NOT NULL DEFAULT '',
    ADD COLUMN item_code varchar NOT NULL DEFAULT '',
    ADD COLUMN yellow_at timestamptz,
    ADD COLUMN remind_at timestamptz,
    ADD COLUMN reminded_at timestamptz,
    ADD COLUMN return_reason bytea,
    ADD COLUMN returned_by varchar,
    ADD COLUMN returned_at timestamptz,
    ADD CONSTRAINT todos_kind CHECK (kind IN ('case', 'consult'));
CREATE INDEX todos_remind ON todos (remind_at) WHERE reminded_at IS NULL AND state <> 'done';
CREATE TABLE absences (
    post_id varchar PRIMARY KEY,
    returns_on date NOT NULL
);
CREATE TABLE consults (
    consult_id uuid PRIMARY KEY,
    todo_id uuid NOT NULL REFERENCES todos,
    asker_post_id varchar NOT NULL,
    asker_post_title varchar NOT NULL,
    asker_org_id uuid NOT NULL,
    org_id uuid NOT NULL,
    org_path varchar NOT NULL,
    region_code varchar NOT NULL,
    org_name varchar NOT NULL,
    question bytea NOT NULL,
    asked_at timestamptz NOT NULL,
    due_at timestamptz NOT NULL,
    answer bytea,
    answered_by varchar,
    answered_at timestamptz
);
CREATE INDEX consults_todo ON consults (todo_id, asked_at);
CREATE TABLE messages (
    message_id uuid PRIMARY KEY,
    source varchar NOT NULL,
    source_id varchar NOT NULL,
    kind varchar NOT NULL,
    title varchar NOT NULL,
    body bytea NOT NULL,
    sender_post_id varchar,
    sender_title varchar,
    sent_at timestamptz NOT NULL,
    recalled_at timestamptz
);
CREATE UNIQUE INDEX messages_source ON messages (source, source_id, kind);
CREATE TABLE mailboxes (
    mailbox varchar PRIMARY KEY,
    last_seq bigint NOT NULL
);
CREATE TABLE deliveries (
    mailbox varchar NOT NULL,
    seq bigint NOT NULL,
    message_id uuid NOT NULL REFERENCES messages,
    PRIMARY KEY (mailbox, seq)
);
CREATE INDEX deliveries_message ON deliveries (message_id);
CREATE TABLE receipts (
    message_id uuid NOT NULL REFERENCES messages,
    reader varchar NOT NULL,
    delivered_at timestamptz NOT NULL,
    read_at timestamptz,
    PRIMARY KEY (message_id, reader)
);
"""


def upgrade() -> None:
    for statement in TABLES.split(";\n"):
        if statement.strip():
            op.execute(statement)
