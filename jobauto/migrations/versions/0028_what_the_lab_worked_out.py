"""what the lab worked out

Revision ID: 0028
Revises: 0027
Create Date: 2026-11-26 11:50:00
"""

import sqlalchemy as sa
from alembic import op

from jobauto.models.types import Instant

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "lab_result",
        sa.Column("rule", sa.String(length=50), nullable=False),
        sa.Column("days", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("group", sa.String(length=100), nullable=False),
        sa.Column("settings", sa.Text(), nullable=False),
        sa.Column("readings", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("heartbeat_at", Instant(), nullable=False),
        sa.Column("progress", sa.Float(), nullable=False),
        sa.Column("answer", sa.JSON(), nullable=True),
        sa.PrimaryKeyConstraint("rule", "days", "group", name=op.f("pk_lab_result")),
    )


def downgrade() -> None:
    op.drop_table("lab_result")
