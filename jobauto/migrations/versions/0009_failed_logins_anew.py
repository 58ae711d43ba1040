"""failed logins anew

Revision ID: 0009
Revises: 0008
Create Date: 2026-11-26 08:10:00
"""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # On SQLite a row could hold text for an instant, and every login from its address failed. All that is
    # lost is a count that would be forgotten within the hour.
    op.execute("DELETE FROM login_failure")


def downgrade() -> None:
    pass
