"""Matters, filings, cases, calls and serials, with the plumbing tables."""

import sqlalchemy as sa
from alembic import op
from common.db import plumbing_1
from sqlalchemy.dialects.postgresql import JSONB

revision = "2026_11_21_1500"
down_revision = None

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    plumbing_1(op)
    op.create_table(
        "matters",
        sa.Column("code", sa.Text, primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("effective_from", sa.Date, nullable=False),
        sa.Column("checksum", sa.Text, nullable=False),
        sa.Column("definition", JSONB, nullable=False),
        sa.Column("published_at", _MOMENT, nullable=False),
    )
    op.create_table(
        "filings",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("no", sa.Text, unique=True),
        sa.Column("matter_code", sa.Text, nullable=False),
        sa.Column("matter_version", sa.Integer, nullable=False),
        sa.Column("matter_name", sa.Text, nullable=False),
        sa.Column("region_code", sa.Text, nullable=False),
        sa.Column("applicant_id", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("open_cases", sa.Integer, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.Column("plan", JSONB),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("submitted_at", _MOMENT),
        sa.Column("closed_at", _MOMENT),
    )
    op.create_index("filings_by_applicant", "filings", ["applicant_id", sa.text("id desc")])
    op.create_index("filings_open", "filings", ["id"], postgresql_where=sa.text("state = 'submitted'"))
    op.create_table(
        "cases",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("no", sa.Text, nullable=False, unique=True),
        sa.Column("filing_id", sa.Uuid, sa.ForeignKey("filings.id"), nullable=False),
        sa.Column("applicant_id", sa.Text, nullable=False),
        sa.Column("matter_code", sa.Text, nullable=False),
        sa.Column("item", sa.Text, nullable=False),
        sa.Column("item_name", sa.Text, nullable=False),
        sa.Column("org_id", sa.Text, nullable=False),
        sa.Column("org_path", sa.Text, nullable=False),
        sa.Column("org_uscc", sa.Text, nullable=False),
        sa.Column("region_code", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("waits_for", JSONB, nullable=False),
        sa.Column("open_dependencies", sa.Integer, nullable=False),
        sa.Column("gives_licence", sa.Boolean, nullable=False),
        sa.Column("clocks", JSONB, nullable=False),
        sa.Column("due", JSONB, nullable=False),
        sa.Column("materials", JSONB, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("ready_at", _MOMENT),
        sa.Column("accepted_at", _MOMENT),
        sa.Column("decided_at", _MOMENT),
        sa.Column("promised_due_at", _MOMENT),
        sa.Column("statutory_due_at", _MOMENT),
        sa.Column("result", sa.LargeBinary),
        sa.Column("reason_code", sa.Text),
        sa.Column("explanation", sa.LargeBinary),
        sa.Column("licence_id", sa.Text),
    )
    op.create_index("cases_of_filing", "cases", ["filing_id"])
    op.create_index(
        "cases_in_scope", "cases", ["org_path", sa.text("id desc")], postgresql_ops={"org_path": "text_pattern_ops"}
    )
    for name in ("promised", "statutory"):
        op.create_index(f"cases_{name}", "cases", [f"{name}_due_at"], postgresql_where=sa.text("status = 'accepted'"))
    op.create_table(
        "calls",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("case_id", sa.Uuid, sa.ForeignKey("cases.id"), nullable=False),
        sa.Column("filing_id", sa.Uuid, sa.ForeignKey("filings.id"), nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("payload", sa.LargeBinary, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("next_try_at", _MOMENT, nullable=False),
        sa.Column("lease_until", _MOMENT),
        sa.Column("error", sa.Text),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("done_at", _MOMENT),
    )
    op.create_index("calls_of_case", "calls", ["case_id", "kind"], unique=True)
    op.create_index("calls_due", "calls", ["next_try_at"], postgresql_where=sa.text("state = 'pending'"))
    op.create_table(
        "serials",
        sa.Column("region_code", sa.Text, primary_key=True),
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("channel", sa.Text, primary_key=True),
        sa.Column("last", sa.Integer, nullable=False),
    )
