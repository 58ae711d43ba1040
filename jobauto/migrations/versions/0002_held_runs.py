"""held runs

Revision ID: 0002
Revises: 0001
Create Date: 2026-11-24 20:40:00.000000
"""

import sqlalchemy as sa
from alembic import op

from jobauto.models.types import Instant, PrimaryKey

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "hold",
        sa.Column("run_id", PrimaryKey, autoincrement=False, nullable=False),
        sa.Column("rule", sa.String(length=50), nullable=False),
        sa.Column("since", Instant(), nullable=False),
        sa.Column("reported", sa.Integer(), nullable=False),
        sa.Column("silent", sa.Integer(), nullable=False),
        sa.Column("decision", sa.String(length=20), nullable=True),
        sa.Column("decided_by", sa.String(length=100), nullable=True),
        sa.Column("decided_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_hold_run_id")),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_hold")),
    )
    op.create_index(
        "ix_hold_undecided",
        "hold",
        ["run_id"],
        unique=False,
        sqlite_where=sa.text("decision IS NULL"),
        postgresql_where=sa.text("decision IS NULL"),
    )


def downgrade() -> None:
    op.drop_table("hold")
