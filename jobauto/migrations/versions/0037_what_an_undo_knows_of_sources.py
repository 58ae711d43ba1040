"""which sites have their source from an import, for its undo

Revision ID: 0037
Revises: 0036
Create Date: 2026-11-26 18:50:00
"""

import sqlalchemy as sa
from alembic import op

from jobauto.models.types import Instant

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("import_site", sa.Column("source_given_at", Instant(), nullable=True))


def downgrade() -> None:
    op.drop_column("import_site", "source_given_at")
