"""imports by when they began: a new one asks which have begun since it was received

Revision ID: 0050
Revises: 0047
Create Date: 2026-11-27 01:30:00
"""

from alembic import op

revision = "0050"
down_revision = "0047"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_import_pass_began", "import", ["pass_began_at"])


def downgrade() -> None:
    op.drop_index("ix_import_pass_began", table_name="import")
