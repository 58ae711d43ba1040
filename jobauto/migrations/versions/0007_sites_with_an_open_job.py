"""sites with an open job

Revision ID: 0007
Revises: 0006
Create Date: 2026-11-25 00:15:00
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

IS_OPEN = sa.text("status <> 'closed'")


def upgrade() -> None:
    op.create_index("ix_job_open_site", "job", ["site_key"], sqlite_where=IS_OPEN, postgresql_where=IS_OPEN)


def downgrade() -> None:
    op.drop_index("ix_job_open_site", table_name="job")
