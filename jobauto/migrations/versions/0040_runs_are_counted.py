"""runs are counted

Revision ID: 0040
Revises: 0038
Create Date: 2026-11-26 18:20:00

Old runs are counted by the tick, the newest first.
"""

import sqlalchemy as sa
from alembic import op

from jobauto.models.types import PrimaryKey

revision = "0040"
down_revision = "0038"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "run_count",
        sa.Column("run_id", PrimaryKey, autoincrement=False, nullable=False),
        sa.Column("group", sa.String(length=100), nullable=False),
        sa.Column("source", sa.String(length=100), nullable=False),
        sa.Column("silent", sa.Integer(), nullable=False),
        sa.Column("standing_still", sa.Integer(), nullable=False),
        sa.Column("not_assessable", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_run_count_run_id")),
        sa.PrimaryKeyConstraint("run_id", "group", "source", name=op.f("pk_run_count")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "regrouping",
        sa.Column("id", PrimaryKey, nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_regrouping")),
    )
    op.add_column("run", sa.Column("regroupings", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    op.drop_column("run", "regroupings")
    op.drop_table("regrouping")
    op.drop_table("run_count")
