"""Lay the plumbing and the shelf."""

from alembic import op
from common.db import plumbing_1

revision = "lay_the_shelf"
down_revision = None


def upgrade() -> None:
    plumbing_1(op)
    op.execute("create table things (id text primary key, state text not null, version bigint not null)")
    op.execute("create table notes (id uuid primary key, fact uuid not null, thing text not null)")
