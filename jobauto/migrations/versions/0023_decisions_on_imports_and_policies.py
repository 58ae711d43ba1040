"""imports that wait for a decision, and policies

Revision ID: 0023
Revises: 0018
Create Date: 2026-11-26 11:30:00
"""

import sqlalchemy as sa
from alembic import op

from jobauto.models.types import Instant

revision = "0023"
down_revision = "0018"
branch_labels = None
depends_on = None

COLUMNS = ("is_checked", "decide_until", "decided_by", "decided_at")


def upgrade() -> None:
    op.add_column("import", sa.Column("is_checked", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("import", sa.Column("decide_until", Instant(), nullable=True))
    op.add_column("import", sa.Column("decided_by", sa.String(length=100), nullable=True))
    op.add_column("import", sa.Column("decided_at", Instant(), nullable=True))
    op.add_column(
        "settings_version", sa.Column("policies", sa.JSON(), server_default=sa.text("'[]'"), nullable=False)
    )


def downgrade() -> None:
    op.drop_column("settings_version", "policies")
    for name in COLUMNS:
        op.drop_column("import", name)
