"""steps of a login: passwords that lapse, second factors, identities at an issuer

Revision ID: 0018
Revises: 0017
Create Date: 2026-11-26 11:30:00
"""

import sqlalchemy as sa
from alembic import op

from jobauto.models.types import Instant, PrimaryKey

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("user", sa.Column("password_lapses_at", Instant(), nullable=True))
    op.create_table(
        "pending_login",
        sa.Column("key_hash", sa.String(length=64), nullable=False),
        sa.Column("user_id", PrimaryKey, nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("by_password", sa.Boolean(), nullable=False),
        sa.Column("second_factor", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_pending_login_user_id")),
        sa.PrimaryKeyConstraint("key_hash", name=op.f("pk_pending_login")),
    )
    op.create_index(op.f("ix_pending_login_created_at"), "pending_login", ["created_at"])
    op.create_index(op.f("ix_pending_login_user_id"), "pending_login", ["user_id"])
    op.create_table(
        "second_factor",
        sa.Column("user_id", PrimaryKey, autoincrement=False, nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("last_counter", sa.BigInteger(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_second_factor_user_id")),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_second_factor")),
    )
    op.create_table(
        "recovery_code",
        sa.Column("id", PrimaryKey, nullable=False),
        sa.Column("user_id", PrimaryKey, nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_recovery_code_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recovery_code")),
        sa.UniqueConstraint("code_hash", name=op.f("uq_recovery_code_code_hash")),
    )
    op.create_index(op.f("ix_recovery_code_user_id"), "recovery_code", ["user_id"])
    op.create_table(
        "identity",
        sa.Column("issuer", sa.String(length=500), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("user_id", PrimaryKey, nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_identity_user_id")),
        sa.PrimaryKeyConstraint("issuer", "subject", name=op.f("pk_identity")),
        sa.UniqueConstraint("user_id", name=op.f("uq_identity_user_id")),
    )


def downgrade() -> None:
    op.drop_table("identity")
    op.drop_table("recovery_code")
    op.drop_table("second_factor")
    op.drop_table("pending_login")
    with op.batch_alter_table("user") as batch:
        batch.drop_column("password_lapses_at")
