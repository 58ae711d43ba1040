"""what an import leaves out of its file

Revision ID: 0054
Revises: 0050
Create Date: 2026-11-27 01:55:00
"""

import sqlalchemy as sa
from alembic import op

revision = "0054"
down_revision = "0050"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("import", sa.Column("left_out", sa.Text(), nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("import", "left_out")
