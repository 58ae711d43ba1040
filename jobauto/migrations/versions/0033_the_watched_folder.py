"""the watched folder, and feeds that are late

Revision ID: 0033
Revises: 0032
Create Date: 2026-11-26 15:20:00
"""

import sqlalchemy as sa
from alembic import op

from jobauto.models.types import Instant

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("import", sa.Column("inbox_name", sa.String(length=1000), nullable=True))
    op.add_column("import", sa.Column("inbox_time", sa.BigInteger(), nullable=True))
    op.add_column("import", sa.Column("content_hash", sa.String(length=64), nullable=True))
    lies_there = sa.text("inbox_name IS NOT NULL")
    op.create_index(
        "uq_import_inbox",
        "import",
        ["kept_on", "profile", "inbox_name"],
        unique=True,
        sqlite_where=lies_there,
        postgresql_where=lies_there,
    )
    op.create_table(
        "feed_alarm",
        sa.Column("key", sa.String(length=50), nullable=False),
        sa.Column("since", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_feed_alarm")),
    )
    known = sa.text("content_hash IS NOT NULL")
    op.create_index(
        "ix_import_content_hash", "import", ["content_hash"], sqlite_where=known, postgresql_where=known
    )


def downgrade() -> None:
    op.drop_table("feed_alarm")
    op.drop_index("ix_import_content_hash", "import")
    op.drop_index("uq_import_inbox", "import")
    for name in ("content_hash", "inbox_time", "inbox_name"):
        op.drop_column("import", name)
