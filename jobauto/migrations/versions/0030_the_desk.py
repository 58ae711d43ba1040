"""the desk: views of jobs, and what is done with several at once

Revision ID: 0030
Revises: 0029
Create Date: 2026-11-26 14:40:00
"""

import sqlalchemy as sa
from alembic import op

from jobauto.models.types import Instant, PrimaryKey

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

UNFINISHED = sa.text("finished_at IS NULL")
PARTIAL = {
    "ix_job_open_unassigned": ("id", sa.text("status <> 'closed' AND assignee IS NULL")),
    "ix_job_open_recovered": ("id", sa.text("status <> 'closed' AND recovered_at IS NOT NULL")),
    "ix_job_closed": ("closed_at", sa.text("closed_at IS NOT NULL")),
}


def upgrade() -> None:
    op.create_table(
        "bulk_action",
        sa.Column("id", PrimaryKey, nullable=False),
        sa.Column("who", sa.String(length=100), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("action", sa.String(length=20), nullable=False),
        sa.Column("change", sa.JSON(), nullable=False),
        sa.Column("undoes", PrimaryKey, nullable=True),
        sa.Column("heartbeat_at", Instant(), nullable=False),
        sa.Column("finished_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["undoes"], ["bulk_action.id"], name=op.f("fk_bulk_action_undoes")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bulk_action")),
        sa.UniqueConstraint("undoes", name=op.f("uq_bulk_action_undoes")),
    )
    op.create_index(
        "ix_bulk_action_unfinished",
        "bulk_action",
        ["id"],
        sqlite_where=UNFINISHED,
        postgresql_where=UNFINISHED,
    )
    op.create_table(
        "bulk_job",
        sa.Column("bulk_id", PrimaryKey, autoincrement=False, nullable=False),
        sa.Column("job_id", PrimaryKey, autoincrement=False, nullable=False),
        sa.Column("seen_assignee", sa.String(length=100), nullable=False),
        sa.Column("done", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("refused", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["bulk_id"], ["bulk_action.id"], name=op.f("fk_bulk_job_bulk_id")),
        sa.PrimaryKeyConstraint("bulk_id", "job_id", name=op.f("pk_bulk_job")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "job_view",
        sa.Column("user_id", PrimaryKey, autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_job_view_user_id")),
        sa.PrimaryKeyConstraint("user_id", "name", name=op.f("pk_job_view")),
    )
    op.add_column("user", sa.Column("rows_a_page", sa.Integer(), nullable=True))
    op.add_column("event", sa.Column("bulk_id", PrimaryKey, nullable=True))
    for name, (column, where) in PARTIAL.items():
        op.create_index(name, "job", [column], sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    for name in PARTIAL:
        op.drop_index(name, table_name="job")
    op.drop_column("event", "bulk_id")
    op.drop_column("user", "rows_a_page")
    op.drop_table("job_view")
    op.drop_table("bulk_job")
    op.drop_table("bulk_action")
