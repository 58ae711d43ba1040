"""imports can be canceled, and tell how fast they are

Revision ID: 0036
Revises: 0033
Create Date: 2026-11-26 18:20:00
"""

import sqlalchemy as sa
from alembic import op

from jobauto.models.types import Instant

revision = "0036"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("import", sa.Column("canceled_by", sa.String(length=100), nullable=True))
    op.add_column("import", sa.Column("canceled_at", Instant(), nullable=True))
    op.add_column("import", sa.Column("pass_began_at", Instant(), nullable=True))
    op.add_column("import", sa.Column("rows", sa.Integer(), server_default="0", nullable=False))


def downgrade() -> None:
    for name in ("rows", "pass_began_at", "canceled_at", "canceled_by"):
        op.drop_column("import", name)
