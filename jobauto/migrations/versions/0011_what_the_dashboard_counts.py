"""what dashboard and lists count and sort

Revision ID: 0011
Revises: 0010
Create Date: 2026-11-26 08:30:00
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

IS_OPEN = sa.text("status <> 'closed'")


def upgrade() -> None:
    _index_open_jobs_by("site_key", "recovered_at", "status")
    op.add_column("run", sa.Column("removed_demo_sites", sa.Integer(), nullable=True))
    never_first = {"since": "NULLS FIRST"}
    op.create_index("ix_job_since", "job", ["since", "id"], postgresql_ops=never_first)
    op.create_index(
        "ix_job_open_since",
        "job",
        ["since", "id"],
        postgresql_ops=never_first,
        sqlite_where=IS_OPEN,
        postgresql_where=IS_OPEN,
    )


def downgrade() -> None:
    op.drop_index("ix_job_open_since", table_name="job")
    op.drop_index("ix_job_since", table_name="job")
    op.drop_column("run", "removed_demo_sites")
    _index_open_jobs_by("site_key")


def _index_open_jobs_by(*columns: str) -> None:
    op.drop_index("ix_job_open_site", table_name="job")
    op.create_index("ix_job_open_site", "job", [*columns], sqlite_where=IS_OPEN, postgresql_where=IS_OPEN)
