"""jobs by priority, and the report reads no jobs

Revision ID: 0047
Revises: 0044
Create Date: 2026-11-26 22:20:00
"""

import sqlalchemy as sa
from alembic import op

revision = "0047"
down_revision = "0044"
branch_labels = None
depends_on = None


def upgrade() -> None:
    of_any_status = sa.text("id > 0")
    op.create_index(
        "ix_job_priority",
        "job",
        ["priority", "id"],
        sqlite_where=of_any_status,
        postgresql_where=of_any_status,
    )
    _make_created_anew(["created_at", "rule", "site_key", "assignee"])


def downgrade() -> None:
    _make_created_anew(["created_at", "rule"])
    op.drop_index("ix_job_priority", table_name="job")


def _make_created_anew(columns: list[str]) -> None:
    op.drop_index("ix_job_created", table_name="job")
    op.create_index("ix_job_created", "job", columns)
