"""Which decisions reached their applicants; those that were issued before have the usual term from now on."""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_21_1800"
down_revision = "2026_11_21_1660"

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "deliveries",
        sa.Column("document_id", sa.Uuid, sa.ForeignKey("documents.document_id"), primary_key=True),
        sa.Column("case_id", sa.Uuid, sa.ForeignKey("cases.id"), nullable=False),
        sa.Column("filing_id", sa.Uuid, sa.ForeignKey("filings.id"), nullable=False),
        sa.Column("issued_at", _MOMENT, nullable=False),
        sa.Column("due_at", _MOMENT, nullable=False),
        sa.Column("mode", sa.Text),
        sa.Column("delivered_at", _MOMENT),
        sa.Column("proof", sa.LargeBinary),
        sa.Column("recorded_at", _MOMENT),
    )
    op.create_index("deliveries_of_case", "deliveries", ["case_id"])
    op.create_index("deliveries_of_filing", "deliveries", ["filing_id"])
    op.execute(
        "insert into deliveries (document_id, case_id, filing_id, issued_at, due_at) "
        "select document_id, case_id, filing_id, issued_at, now() + interval '14 days' from documents "
        "where kind in ('decline', 'approval', 'refusal')"
    )
