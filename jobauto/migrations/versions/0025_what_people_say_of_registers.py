"""what people say of registers

Revision ID: 0025
Revises: 0024
Create Date: 2026-11-26 11:50:00
"""

import sqlalchemy as sa
from alembic import op

from jobauto.models.types import Instant, Kwh, PrimaryKey

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "meter_change",
        sa.Column("id", PrimaryKey, nullable=False),
        sa.Column("site_key", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", Instant(), nullable=False),
        sa.Column("closing", Kwh(), nullable=True),
        sa.Column("opening", Kwh(), nullable=True),
        sa.Column("serial", sa.String(length=50), nullable=False, server_default=""),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_meter_change")),
        sa.UniqueConstraint("site_key", "changed_at", name=op.f("uq_meter_change_site_key_changed_at")),
    )
    op.create_table(
        "decision",
        sa.Column("id", PrimaryKey, nullable=False),
        sa.Column("site_key", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("decision", sa.String(length=20), nullable=False),
        sa.Column("decided_by", sa.String(length=100), nullable=False),
        sa.Column("decided_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decision")),
    )
    op.create_index("ix_decision_site_key", "decision", ["site_key"])
    op.create_table(
        "decided_reading",
        sa.Column("decision_id", PrimaryKey, autoincrement=False, nullable=False),
        sa.Column("reading_date", Instant(), nullable=False),
        sa.Column("reading_value", Kwh(), nullable=False),
        sa.ForeignKeyConstraint(
            ["decision_id"],
            ["decision.id"],
            name=op.f("fk_decided_reading_decision_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("decision_id", "reading_date", name=op.f("pk_decided_reading")),
    )
    op.add_column("review", sa.Column("decision_id", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    op.drop_column("review", "decision_id")
    op.drop_table("decided_reading")
    op.drop_index("ix_decision_site_key", table_name="decision")
    op.drop_table("decision")
    op.drop_table("meter_change")
