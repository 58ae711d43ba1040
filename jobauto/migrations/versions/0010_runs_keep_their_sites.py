"""runs keep their sites

Revision ID: 0010
Revises: 0009
Create Date: 2026-11-26 08:10:00
"""

import sqlalchemy as sa
from alembic import op

from jobauto.models.types import PrimaryKey
from jobauto.storage.citus import is_distributed

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

NOT_JUDGED = sa.text("verdict = 'not_judged'")


def upgrade() -> None:
    op.create_table(
        "run_site",
        sa.Column("run_id", PrimaryKey, autoincrement=False, nullable=False),
        sa.Column("rule", sa.String(length=50), nullable=False),
        sa.Column("site_key", PrimaryKey, autoincrement=False, nullable=False),
        sa.Column("verdict", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.String(length=50), nullable=True),
        sa.Column("outcome", sa.String(length=20), nullable=True),
        sa.PrimaryKeyConstraint("run_id", "rule", "site_key", name=op.f("pk_run_site")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_run_site_not_judged",
        "run_site",
        ["rule", "run_id"],
        sqlite_where=NOT_JUDGED,
        postgresql_where=NOT_JUDGED,
    )
    if is_distributed(op.get_bind()):
        op.execute("SELECT create_distributed_table('run_site', 'site_key', colocate_with => 'site')")
    op.add_column("run_rule", sa.Column("newest_site", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    op.drop_column("run_rule", "newest_site")
    op.drop_table("run_site")
