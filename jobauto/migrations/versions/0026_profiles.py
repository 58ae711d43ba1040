"""profiles

Revision ID: 0026
Revises: 0025
Create Date: 2026-11-26 12:15:00
"""

import sqlalchemy as sa
from alembic import op

from jobauto.models.types import Instant

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "profile_version",
        sa.Column("key", sa.String(length=50), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=50), nullable=False),
        sa.Column("document", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("changed_at", Instant(), nullable=False),
        sa.Column("changed_by", sa.String(length=100), nullable=True),
        sa.PrimaryKeyConstraint("key", "version", name=op.f("pk_profile_version")),
    )
    op.add_column("import", sa.Column("profile", sa.String(length=50), nullable=True))
    op.add_column("import", sa.Column("profile_version", sa.Integer(), nullable=True))


def downgrade() -> None:
    op.drop_column("import", "profile_version")
    op.drop_column("import", "profile")
    op.drop_table("profile_version")
