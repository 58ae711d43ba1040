"""what an import says of its file

Revision ID: 0014
Revises: 0013
Create Date: 2026-11-26 08:30:00
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

LISTS = ("ignore_columns", "ignored_columns", "warnings", "reasons", "preview")


def upgrade() -> None:
    op.add_column("import", sa.Column("kept_on", sa.String(255), nullable=False, server_default=""))
    for name in LISTS:
        op.add_column("import", sa.Column(name, sa.JSON(), nullable=False, server_default="[]"))


def downgrade() -> None:
    for name in (*LISTS, "kept_on"):
        op.drop_column("import", name)
