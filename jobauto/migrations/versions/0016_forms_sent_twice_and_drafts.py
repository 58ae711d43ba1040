"""forms sent twice, drafts, and who has open jobs

Revision ID: 0016
Revises: 0015
Create Date: 2026-11-26 08:20:00
"""

import sqlalchemy as sa
from alembic import op

from jobauto.models.types import Instant, PrimaryKey

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

OPEN_AND_ASSIGNED = sa.text("status <> 'closed' AND assignee IS NOT NULL")


def upgrade() -> None:
    op.create_table(
        "sent_form",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("sent_at", Instant(), nullable=False),
        sa.Column("location", sa.Text(), nullable=True),
        sa.Column("messages", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_sent_form")),
    )
    op.create_index(op.f("ix_sent_form_sent_at"), "sent_form", ["sent_at"])
    op.create_table(
        "draft",
        sa.Column("user_id", PrimaryKey, autoincrement=False, nullable=False),
        sa.Column("path", sa.String(length=500), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.Column("kept_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_draft_user_id")),
        sa.PrimaryKeyConstraint("user_id", "path", name=op.f("pk_draft")),
    )
    op.create_index(op.f("ix_draft_kept_at"), "draft", ["kept_at"])
    op.create_index(
        "ix_job_open_assignee",
        "job",
        ["assignee"],
        sqlite_where=OPEN_AND_ASSIGNED,
        postgresql_where=OPEN_AND_ASSIGNED,
    )


def downgrade() -> None:
    op.drop_index("ix_job_open_assignee", table_name="job")
    op.drop_table("draft")
    op.drop_table("sent_form")
