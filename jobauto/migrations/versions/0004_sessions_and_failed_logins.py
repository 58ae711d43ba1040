"""sessions that end on the server, and failed logins

Revision ID: 0004
Revises: 0003
Create Date: 2026-11-24 20:45:00
"""

import secrets

import sqlalchemy as sa
from alembic import op

from jobauto.models.types import Instant, PrimaryKey

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "login_failure",
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last_at", Instant(), nullable=False),
        sa.Column("forget_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("subject", name=op.f("pk_login_failure")),
    )
    op.create_index("ix_login_failure_forget_at", "login_failure", ["forget_at"])
    with op.batch_alter_table("user") as user:
        user.drop_constraint("uq_user_session_key", type_="unique")
        user.drop_column("session_key")
    op.create_table(
        "user_session",
        sa.Column("id", PrimaryKey, nullable=False),
        sa.Column("user_id", PrimaryKey, nullable=False),
        sa.Column("key_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("last_seen_at", Instant(), nullable=False),
        sa.Column("address", sa.String(length=45), nullable=False),
        sa.Column("agent", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_user_session_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_session")),
        sa.UniqueConstraint("key_hash", name=op.f("uq_user_session_key_hash")),
    )
    op.create_index("ix_user_session_user_id", "user_session", ["user_id"])
    op.create_index("ix_user_session_created_at", "user_session", ["created_at"])


def downgrade() -> None:
    op.drop_table("user_session")
    op.drop_table("login_failure")
    with op.batch_alter_table("user") as user:
        user.add_column(sa.Column("session_key", sa.String(length=64)))
    table = sa.table("user", sa.column("id"), sa.column("session_key"))
    for user_id in op.get_bind().scalars(sa.select(table.c.id)).all():
        key = secrets.token_hex(32)
        op.execute(table.update().where(table.c.id == user_id).values(session_key=key))
    with op.batch_alter_table("user") as user:
        user.alter_column("session_key", existing_type=sa.String(length=64), nullable=False)
        user.create_unique_constraint("uq_user_session_key", ["session_key"])
