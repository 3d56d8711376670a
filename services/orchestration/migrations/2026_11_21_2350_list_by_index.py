"""Lists of cases are read in the order of indexes, by department: also those of one status, or not yet delivered."""

from alembic import op

revision = "2026_11_21_2350"
down_revision = "2026_11_21_2120"


def upgrade() -> None:
    op.execute("create index cases_in_status on cases (org_path text_pattern_ops, status, id desc)")
    # of the case, which never changes: what waits to be delivered is found by department
    op.execute("alter table deliveries add column org_path text")
    op.execute("update deliveries as d set org_path = c.org_path from cases as c where c.id = d.case_id")
    op.execute("alter table deliveries alter column org_path set not null")
    op.execute(
        "create index deliveries_in_scope on deliveries (org_path text_pattern_ops, case_id desc) "
        "where delivered_at is null"
    )
