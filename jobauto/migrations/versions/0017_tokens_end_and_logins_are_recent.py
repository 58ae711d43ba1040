"""tokens have a scope and an end, the audit log names them, and sessions know when they were proven

Revision ID: 0017
Revises: 0016
Create Date: 2026-11-26 11:30:00
"""

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from alembic import op

from jobauto.models.types import Instant, PrimaryKey

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

LIFETIME = timedelta(days=365)


def upgrade() -> None:
    now = datetime.now(UTC)
    op.add_column("event", sa.Column("token", sa.String(length=130), nullable=True))
    with op.batch_alter_table("user_session") as session:
        session.add_column(sa.Column("proven_at", Instant(), nullable=True))
    session_table = sa.table(
        "user_session", sa.column("created_at", Instant()), sa.column("proven_at", Instant())
    )
    op.execute(session_table.update().values(proven_at=session_table.c.created_at))
    with op.batch_alter_table("user_session") as session:
        session.alter_column("proven_at", existing_type=Instant(), nullable=False)
    with op.batch_alter_table("api_token") as token:
        token.add_column(sa.Column("scope", sa.String(length=10), server_default="full", nullable=False))
        token.add_column(sa.Column("expires_at", Instant(), nullable=True))
        token.add_column(sa.Column("told_days", sa.Integer(), nullable=True))
        token.add_column(sa.Column("from_before", sa.Boolean(), server_default=sa.false(), nullable=False))
    token_table = sa.table(
        "api_token",
        sa.column("user_id", PrimaryKey),
        sa.column("expires_at", Instant()),
        sa.column("from_before", sa.Boolean()),
        sa.column("revoked_at", Instant()),
    )
    # Nobody has chosen this end: their owners' pages tell of it.
    op.execute(token_table.update().values(expires_at=now + LIFETIME, from_before=sa.true()))
    user_table = sa.table("user", sa.column("id", PrimaryKey), sa.column("active", sa.Boolean()))
    inactive = sa.select(user_table.c.id).where(sa.not_(user_table.c.active))
    # From now on deactivation revokes: tokens of those who are deactivated already must not come back either.
    op.execute(
        token_table.update()
        .where(token_table.c.user_id.in_(inactive), token_table.c.revoked_at.is_(None))
        .values(revoked_at=now)
    )
    with op.batch_alter_table("api_token") as token:
        token.alter_column("expires_at", existing_type=Instant(), nullable=False)


def downgrade() -> None:
    with op.batch_alter_table("api_token") as token:
        for name in ("scope", "expires_at", "told_days", "from_before"):
            token.drop_column(name)
    with op.batch_alter_table("user_session") as session:
        session.drop_column("proven_at")
    op.drop_column("event", "token")
