"""requests for runs

Revision ID: 0006
Revises: 0005
Create Date: 2026-11-24 20:45:00
"""

import sqlalchemy as sa
from alembic import op

from jobauto.models.types import Instant, PrimaryKey

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "run_request",
        sa.Column("id", PrimaryKey, nullable=False),
        sa.Column("requested_by", sa.String(length=100), nullable=False),
        sa.Column("requested_at", Instant(), nullable=False),
        sa.Column("run_id", PrimaryKey, nullable=True),
        sa.Column("refusal", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["run_id"], ["run.id"], name=op.f("fk_run_request_run_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run_request")),
        sa.UniqueConstraint("run_id", name=op.f("uq_run_request_run_id")),
    )


def downgrade() -> None:
    op.drop_table("run_request")
