"""What is asked again and again is found by an index: of matters, of open filings and of what is not delivered.

After every decision, and by the archive, a matter is asked by columns: no definition is read for that.
"""

from alembic import op

revision = "2026_11_21_2120"
down_revision = "2026_11_21_1910"


def upgrade() -> None:
    op.execute("""
        alter table matters
            add column proposed_after_matter text
                generated always as (definition -> 'proposed_by' ->> 'matter') stored,
            add column proposed_after_item text
                generated always as (definition -> 'proposed_by' ->> 'item') stored,
            add column archive_days integer not null
                generated always as (coalesce(cast(definition ->> 'archive_days' as integer), 30)) stored
    """)
    op.execute("create index matters_proposed on matters (proposed_after_matter, proposed_after_item)")
    op.execute("create index matters_rest on matters (archive_days)")
    op.execute("drop index filings_open")
    op.execute("create index filings_open on filings (id) where state in ('submitted', 'proposed')")
    op.execute("create index deliveries_open on deliveries (case_id) where delivered_at is null")
