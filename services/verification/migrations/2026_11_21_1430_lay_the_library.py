"""Lay the tables of the licence library."""

from alembic import op
from common.db import plumbing_1

revision = "2026_11_21_1430"
down_revision = None

TABLES = """
CREATE TABLE licence_types (
    code varchar NOT NULL,
    version integer NOT NULL,
    name varchar NOT NULL,
    defining_body varchar NOT NULL,
    holder_kind varchar NOT NULL,
    face_fields jsonb NOT NULL,
    validity_years integer,
    effective_from date NOT NULL,
    published_at timestamptz NOT NULL,
    PRIMARY KEY (code, version)
);
CREATE TABLE licence_serials (
    licence_type varchar NOT NULL,
    issuer_uscc varchar NOT NULL,
    last integer NOT NULL,
    PRIMARY KEY (licence_type, issuer_uscc)
);
CREATE TABLE licences (
    licence_id uuid PRIMARY KEY,
    request_id varchar NOT NULL UNIQUE,
    licence_type varchar NOT NULL,
    issuer_uscc varchar NOT NULL,
    org_id uuid NOT NULL,
    org_path varchar NOT NULL,
    region_code varchar NOT NULL,
    serial varchar NOT NULL,
    version integer NOT NULL
);
CREATE UNIQUE INDEX licences_serial ON licences (licence_type, issuer_uscc, serial);
CREATE INDEX licences_scope ON licences (org_path text_pattern_ops, licence_id);
CREATE TABLE licence_versions (
    licence_id uuid NOT NULL REFERENCES licences (licence_id),
    version integer NOT NULL,
    type_version integer NOT NULL,
    identifier varchar NOT NULL UNIQUE,
    state varchar NOT NULL,
    valid_from date NOT NULL,
    valid_until date,
    face bytea NOT NULL,
    issued_at timestamptz NOT NULL,
    void_explanation bytea,
    void_at timestamptz,
    PRIMARY KEY (licence_id, version),
    CONSTRAINT licence_versions_state CHECK (state IN ('valid', 'superseded', 'revoked', 'cancelled'))
);
CREATE TABLE licence_holders (
    licence_id uuid NOT NULL REFERENCES licences (licence_id),
    person_id uuid NOT NULL,
    position integer NOT NULL,
    licence_type varchar NOT NULL,
    PRIMARY KEY (licence_id, person_id)
);
CREATE INDEX licence_holders_person ON licence_holders (person_id, licence_type);
CREATE TABLE consents (
    consent_id uuid PRIMARY KEY,
    holder_id uuid NOT NULL,
    grantee_id uuid NOT NULL,
    licence_types varchar[] NOT NULL,
    matter_code varchar NOT NULL,
    granted_at timestamptz NOT NULL,
    valid_until timestamptz NOT NULL,
    withdrawn_at timestamptz
);
CREATE INDEX consents_grantee ON consents (holder_id, grantee_id, matter_code);
CREATE INDEX consents_holder ON consents (holder_id, consent_id);
CREATE TABLE evidence (
    evidence_id uuid PRIMARY KEY,
    fingerprint bytea NOT NULL UNIQUE,
    filing_id uuid NOT NULL,
    key varchar NOT NULL,
    asked_by uuid NOT NULL,
    holder_id uuid NOT NULL,
    licence_type varchar NOT NULL,
    matter_code varchar NOT NULL,
    purpose varchar NOT NULL,
    finding varchar NOT NULL,
    reason varchar NOT NULL,
    basis varchar,
    licence_id uuid,
    version integer,
    identifier varchar,
    consent_id uuid,
    at timestamptz NOT NULL
);
CREATE INDEX evidence_filing ON evidence (filing_id);
CREATE INDEX evidence_holder ON evidence (holder_id, evidence_id);
CREATE INDEX evidence_licence ON evidence (licence_id, evidence_id) WHERE licence_id IS NOT NULL;
"""


def upgrade() -> None:
    plumbing_1(op)
    for statement in TABLES.split(";\n"):
        op.execute(statement)
