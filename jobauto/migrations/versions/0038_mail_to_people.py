"""mail to people

Revision ID: 0038
Revises: 0037
Create Date: 2026-11-26 18:20:00
"""

import sqlalchemy as sa
from alembic import op

from jobauto.models.types import Instant, PrimaryKey

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None

OF_NOW = sa.text("replaced_at IS NULL")
UNTOLD = sa.text("message_id IS NULL")


def upgrade() -> None:
    op.add_column("address", sa.Column("failing_since", Instant(), nullable=True))
    op.add_column("address", sa.Column("failure", sa.String(length=200), nullable=True))
    op.create_table(
        "mail_address",
        sa.Column("address_id", PrimaryKey, autoincrement=False, nullable=False),
        sa.Column("user_id", PrimaryKey, nullable=False),
        sa.Column("assignments", sa.String(length=20), nullable=False),
        sa.Column("verified_at", Instant(), nullable=True),
        sa.Column("replaced_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["address_id"], ["address.id"], name=op.f("fk_mail_address_address_id")),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_mail_address_user_id")),
        sa.PrimaryKeyConstraint("address_id", name=op.f("pk_mail_address")),
    )
    where = {"sqlite_where": OF_NOW, "postgresql_where": OF_NOW}
    op.create_index("uq_mail_address_user", "mail_address", ["user_id"], unique=True, **where)
    op.create_table(
        "assignment",
        sa.Column("id", PrimaryKey, nullable=False),
        sa.Column("user_id", PrimaryKey, nullable=False),
        sa.Column("job_id", PrimaryKey, nullable=False),
        sa.Column("site_key", PrimaryKey, nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("bulk_id", PrimaryKey, nullable=True),
        sa.Column("message_id", PrimaryKey, nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_assignment_user_id")),
        sa.ForeignKeyConstraint(
            ["message_id"], ["outbox.id"], name=op.f("fk_assignment_message_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assignment")),
    )
    where = {"sqlite_where": UNTOLD, "postgresql_where": UNTOLD}
    op.create_index("uq_assignment_untold", "assignment", ["user_id", "job_id"], unique=True, **where)
    op.create_index("ix_assignment_message", "assignment", ["message_id"])


def downgrade() -> None:
    op.drop_table("assignment")
    op.drop_table("mail_address")
    # Their messages go with them: a former version would take a person's address for a URL.
    op.execute("DELETE FROM outbox WHERE address_id IN (SELECT id FROM address WHERE kind = 'person')")
    op.execute("DELETE FROM address WHERE kind = 'person'")
    op.drop_column("address", "failure")
    op.drop_column("address", "failing_since")
