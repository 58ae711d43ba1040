"""the report reads indexes

Revision ID: 0041
Revises: 0040
Create Date: 2026-11-26 18:40:00
"""

import sqlalchemy as sa
from alembic import op

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None

INDEXES = {
    "ix_job_closed": ["closed_at", "created_at", "site_key", "assignee"],
    "ix_job_recovered": ["recovered_at", "created_at", "site_key", "assignee", "touched", "resolution"],
}


def upgrade() -> None:
    for name, columns in INDEXES.items():
        _make_anew(name, columns)
    op.create_index("ix_site_parts", "site", ["group", "source", "active"])


def downgrade() -> None:
    op.drop_index("ix_site_parts", table_name="site")
    for name, columns in INDEXES.items():
        _make_anew(name, columns[:1])


def _make_anew(name: str, columns: list[str]) -> None:
    filled = sa.text(f"{columns[0]} IS NOT NULL")
    op.drop_index(name, table_name="job")
    op.create_index(name, "job", columns, sqlite_where=filled, postgresql_where=filled)
