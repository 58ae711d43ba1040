"""sites by name, group and source

Revision ID: 0031
Revises: 0030
Create Date: 2026-11-26 14:40:00
"""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

_INACTIVE = sa.text("NOT active")


def upgrade() -> None:
    op.drop_index("ix_site_group", table_name="site")
    op.create_index("ix_site_group", "site", ["group", "site_id"])
    op.create_index("ix_site_source", "site", ["source", "site_id"])
    op.create_index("ix_site_name", "site", ["site_name", "site_id"])
    op.create_index(
        "ix_site_inactive", "site", ["site_id"], sqlite_where=_INACTIVE, postgresql_where=_INACTIVE
    )


def downgrade() -> None:
    for name in ("ix_site_inactive", "ix_site_name", "ix_site_source", "ix_site_group"):
        op.drop_index(name, table_name="site")
    op.create_index("ix_site_group", "site", ["group"])
