"""imports can be undone

Revision ID: 0027
Revises: 0026
Create Date: 2026-11-26 14:40:00
"""

import sqlalchemy as sa
from alembic import op

from jobauto.models.types import Instant, Kwh

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

COUNTS = ("sites", "removed", "restored", "left")
INSTANTS = ("first_at", "last_at", "undo_until", "undo_heartbeat_at", "undone_at")
OTHERS = ("way", "token", "part_of", "undo_by")


def upgrade() -> None:
    op.add_column("import", sa.Column("way", sa.String(length=10), server_default="page", nullable=False))
    op.add_column("import", sa.Column("token", sa.String(length=130), nullable=True))
    op.add_column("import", sa.Column("part_of", sa.BigInteger(), nullable=True))
    op.add_column("import", sa.Column("undo_by", sa.String(length=100), nullable=True))
    for name in INSTANTS:
        op.add_column("import", sa.Column(name, Instant(), nullable=True))
    for name in COUNTS:
        op.add_column("import", sa.Column(name, sa.Integer(), server_default="0", nullable=False))
    of_tokens = sa.text("token IS NOT NULL")
    op.create_index(
        "ix_import_token", "import", ["token", "id"], sqlite_where=of_tokens, postgresql_where=of_tokens
    )
    op.create_index("ix_import_part_of", "import", ["part_of"])
    op.create_table(
        "import_site",
        sa.Column("import_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("site_key", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("first_at", Instant(), nullable=False),
        sa.Column("last_at", Instant(), nullable=False),
        sa.Column("received", Instant(), nullable=False),
        sa.Column("confirms", sa.Boolean(), nullable=False),
        sa.Column("claimed", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("import_id", "site_key", "first_at", name=op.f("pk_import_site")),
    )
    telling = sa.text("confirms OR claimed")
    op.create_index(
        "ix_import_site_site_key", "import_site", ["site_key"], sqlite_where=telling, postgresql_where=telling
    )
    op.create_table(
        "replaced_reading",
        sa.Column("site_key", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("reading_date", Instant(), nullable=False),
        sa.Column("import_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("reading_value", Kwh(), nullable=False),
        sa.Column("is_estimated", sa.Boolean(), nullable=False),
        sa.Column("received", Instant(), nullable=True),
        sa.Column("replaced_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("site_key", "reading_date", "import_id", name=op.f("pk_replaced_reading")),
    )
    op.create_index("ix_replaced_reading_replaced_at", "replaced_reading", ["replaced_at"])
    _distribute(op.get_bind())


def _distribute(connection: sa.Connection) -> None:
    if connection.dialect.name != "postgresql":
        return
    if connection.scalar(sa.text("SELECT to_regclass('site_registry') IS NOT NULL")):
        op.execute("SELECT create_distributed_table('replaced_reading', 'site_key', colocate_with => 'site')")


def downgrade() -> None:
    op.drop_table("replaced_reading")
    op.drop_table("import_site")
    op.drop_index("ix_import_part_of", "import")
    op.drop_index("ix_import_token", "import")
    for name in (*COUNTS, *INSTANTS, *OTHERS):
        op.drop_column("import", name)
