"""Consents bound to a filing, and requests for them."""

from alembic import op

revision = "2026_11_21_1540"
down_revision = "2026_11_21_1430"

CHANGES = """
ALTER TABLE consents ADD COLUMN filing_id uuid;
ALTER TABLE consents ADD COLUMN purpose bytea;
CREATE TABLE consent_requests (
    consent_request_id uuid PRIMARY KEY,
    holder_id uuid NOT NULL,
    grantee_id uuid NOT NULL,
    licence_types varchar[] NOT NULL,
    matter_code varchar NOT NULL,
    filing_id uuid NOT NULL,
    purpose bytea NOT NULL,
    requested_at timestamptz NOT NULL,
    answer varchar NOT NULL,
    answered_at timestamptz,
    consent_id uuid
);
CREATE UNIQUE INDEX consent_requests_waiting ON consent_requests (grantee_id, holder_id, filing_id, licence_types)
    WHERE answer = 'waiting';
CREATE INDEX consent_requests_holder ON consent_requests (holder_id, consent_request_id);
CREATE INDEX consent_requests_grantee ON consent_requests (grantee_id, consent_request_id)
"""


def upgrade() -> None:
    for statement in CHANGES.split(";\n"):
        op.execute(statement)
