"""what the report counts

Revision ID: 0032
Revises: 0031
Create Date: 2026-11-26 14:40:00
"""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

INDEXES = {"ix_job_recovered": "recovered_at"}


def upgrade() -> None:
    for name, column in INDEXES.items():
        filled = sa.text(f"{column} IS NOT NULL")
        op.create_index(name, "job", [column], sqlite_where=filled, postgresql_where=filled)


def downgrade() -> None:
    for name in INDEXES:
        op.drop_index(name, table_name="job")
