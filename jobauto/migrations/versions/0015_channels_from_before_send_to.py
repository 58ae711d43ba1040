"""channels from before JOBAUTO_SEND_TO

Revision ID: 0015
Revises: 0014
Create Date: 2026-11-26 08:40:00
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("address", sa.Column("exempt", sa.Boolean(), server_default=sa.false(), nullable=False))
    # Nobody could have allowed what they send to: they go on, and the page names them.
    op.execute(sa.table("address", sa.column("exempt", sa.Boolean())).update().values(exempt=sa.true()))


def downgrade() -> None:
    op.drop_column("address", "exempt")
